#include "access/entitlement.hpp"

namespace mp {
namespace {

bool is_in_force(LicenseState state) {
  return state == LicenseState::Active || state == LicenseState::Grace;
}

const Field* feature_field(std::string_view name) {
  return find_field(describe<LicenseFeatures>, name);
}

std::string standing(LicenseState state) {
  switch (state) {
    case LicenseState::Unverified: return "The license server has not confirmed the license yet";
    case LicenseState::Expired: return "The license has expired";
    case LicenseState::Refused: return "The license server refuses the license";
    case LicenseState::Lapsed: return "The license server has not answered for too long";
    case LicenseState::Active:
    case LicenseState::Grace: return "The license does not contain this feature";
    case LicenseState::None: break;
  }
  return {};  // the code's own text
}

}  // namespace

LicenseState state_of(const License& license, Time now) {
  if (license.expires_at && *license.expires_at <= now) return LicenseState::Expired;
  if (!license.refusal.empty()) return LicenseState::Refused;
  if (!license.answered_at) return LicenseState::Unverified;
  if (!license.failing_since) return LicenseState::Active;
  return now < *license.failing_since + license_grace ? LicenseState::Grace : LicenseState::Lapsed;
}

Entitlement entitlement_of(const License* license, Time now) {
  if (!license) return {};
  Entitlement entitlement{.state = state_of(*license, now)};
  if (license->answered_at && license->tier != LicenseTier::Community)
    entitlement.type = LicenseType::Enterprise;
  entitlement.valid = is_in_force(entitlement.state);
  if (!entitlement.valid) return entitlement;
  entitlement.features = license->features;
  entitlement.max_proxies = license->max_proxies;
  entitlement.max_clusters = license->max_clusters;
  return entitlement;
}

bool has_feature(const LicenseFeatures& features, std::string_view name) {
  const Field* field = feature_field(name);
  return field && *static_cast<const bool*>(field->of(&features));
}

bool set_feature(LicenseFeatures& features, std::string_view name) {
  const Field* field = feature_field(name);
  if (field) *static_cast<bool*>(field->member(&features)) = true;
  return field != nullptr;
}

Error not_licensed(const Entitlement& entitlement, std::string_view feature, std::string message) {
  Error error(Code::Feature, message.empty() ? standing(entitlement.state) : std::move(message));
  error.details = {{"feature", feature},
                   {"upgrade", "An Enterprise license with " + std::string(feature) +
                                   " opens this: POST /api/v1/license/validate takes its key. "
                                   "Ask support@marchproxy.io for one."}};
  return error;
}

}  // namespace mp
