#include "api/context.hpp"
#include "api/nouns.hpp"
#include "model/proxy.hpp"

namespace mp::api {
namespace {

LicenseLimits limits_of(Reader& db, const Context& context, const Entitlement& entitlement) {
  const LicenseUse use =
      count_use(db, offline_before(context.clock.now(), context.settings.proxy.heartbeat_interval));
  return {.max_proxies = entitlement.max_proxies,
          .max_clusters = entitlement.max_clusters,
          .current_proxies = use.proxies,
          .current_clusters = use.clusters};
}

LicenseStatus license_status(Call& call) {
  call.context.license.reload();  // the same on every manager
  const auto license = call.context.license.kept();
  const Entitlement entitlement = entitlement_of(license.get(), call.context.clock.now());
  LicenseStatus status{.license_type = entitlement.type,
                       .valid = entitlement.valid,
                       .features = entitlement.features,
                       .limits = {},
                       .state = entitlement.state};
  if (license) {
    status.license_key = license->license_key;
    status.expires_at = license->expires_at;
    status.answered_at = license->answered_at;
  }
  call.read([&](Reader& db) { status.limits = limits_of(db, call.context, entitlement); });
  return status;
}

LicenseValidation validation_of(const Secret& key, const LicenseAnswer& answer) {
  const bool beyond = answer.tier != LicenseTier::Community;
  return {.valid = answer.verdict == LicenseVerdict::Granted,
          .message = answer.message,
          .license_key = mask_license_key(key),
          .license_type = beyond ? LicenseType::Enterprise : LicenseType::Community,
          .features = answer.features,
          .limits = {.max_proxies = answer.max_proxies, .max_clusters = answer.max_clusters},
          .expires_at = answer.expires_at};
}

// Asks before the transaction, which must not wait. What the answer says of the kept key is kept
// even when there is none for the client.
LicenseValidation validate_license(Call& call, New<LicenseKey> body) {
  Licensing& license = call.context.license;
  const Secret& key = body.value.license_key;
  const LicenseAnswer answer = license.ask(key);
  if (answer.verdict == LicenseVerdict::None) {
    call.context.store.write(call.actor(), [&](Writer& db) { Licensing::keep(db, key, answer); });
    license.reload();
    throw unavailable("The license server did not answer; the key is not kept",
                      "license server: " + answer.message);
  }
  const auto validation = write<LicenseValidation>(call, [&](Writer& db) {
    Licensing::keep(db, key, answer);
    LicenseValidation result = validation_of(key, answer);
    const LicenseLimits used = limits_of(db, call.context, {});
    result.limits.current_proxies = used.current_proxies;
    result.limits.current_clusters = used.current_clusters;
    return result;
  });
  license.reload();
  return validation;
}

}  // namespace

void licenses(Endpoints& endpoints) {
  endpoints.add({.id = "get_license_status",
                 .call = "GET /license-status",
                 .summary = "The license, what it opens, and how much of it is used."},
                license_status);
  endpoints.add({.id = "validate_license",
                 .call = "POST /license/validate",
                 .summary = "Ask the license server about a key; a valid one is kept.",
                 .needs = Needs::Admin},
                validate_license);
}

}  // namespace mp::api
