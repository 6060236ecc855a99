#include "api/wildcard.hpp"

#include "base/log.hpp"

namespace mp::api {
namespace {

constexpr std::size_t longest_common_name = 64;  // RFC 5280, ub-common-name

const Actor manager{.user_id = std::nullopt, .name = "manager", .address = "", .request_id = ""};

// The same day of a later year; the 29th of February becomes the 28th.
Time years_later(Time time, int years) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  auto date = std::chrono::year_month_day(day) + std::chrono::years(years);
  if (!date.ok()) date = date.year() / date.month() / std::chrono::last;
  return Time(std::chrono::sys_days(date)) + (time - day);
}

void issue(Certificate& certificate, const Authority& authority, Time not_after) {
  const std::string& first = certificate.subject_alt_names.front();
  const KeyPair pair =
      authority.issue_server({.common_name = first.size() <= longest_common_name ? first : "",
                              .names = certificate.subject_alt_names,
                              .not_after = not_after});
  take_content(certificate,
               facts_of({.certificate = pair.certificate_pem,
                         .key = pair.key_pem,
                         .authority = authority.certificates_pem()}),
               CertificateSource::Auto);
}

// One of ours that is still to begin was issued by a clock that went back since: it serves nobody.
bool is_own_due(const Certificate& certificate, Time now) {
  const bool begins_later = certificate.auto_renew && certificate.not_before > now;
  return is_renewal_due(certificate, now) || (begins_later && !certificate.revoked_at);
}

}  // namespace

void take_content(Certificate& certificate, const CertificateFacts& facts,
                  CertificateSource source) {
  certificate.common_name = facts.common_name;
  certificate.subject_alt_names = facts.names;
  certificate.source_type = source;
  certificate.not_before = facts.not_before;
  certificate.expires_at = facts.expires_at;
  certificate.fingerprint_sha256 = facts.fingerprint_sha256;
  certificate.cert_pem = facts.files.certificate;
  certificate.key_pem = facts.files.key;
  certificate.ca_pem = facts.files.authority;
  certificate.revoked_at.reset();
  certificate.revocation_reason.reset();
}

Certificate issue_wildcard(const Authority& authority, const WildcardRequest& request, Time now) {
  Certificate certificate{.name = "*." + request.domain,
                          .subject_alt_names = {"*." + request.domain, request.domain},
                          .auto_renew = true,
                          .cluster_id = request.cluster_id};
  issue(certificate, authority, years_later(now, request.validity_years));
  return certificate;
}

void reissue(Certificate& certificate, const Authority& authority, Time now) {
  issue(certificate, authority, now + (certificate.expires_at - certificate.not_before));
}

bool is_renewal_due(const Certificate& certificate, Time now) {
  if (!certificate.auto_renew || certificate.revoked_at) return false;
  const Milliseconds life = certificate.expires_at - certificate.not_before;
  return certificate.expires_at - now <= std::min<Milliseconds>(life / 3, longest_renewal_window);
}

void renew_certificates(Store& store, const Authority& authority, Time now) {
  std::vector<Certificate> candidates;
  store.read([&](Reader& db) {
    candidates =
        db.select<Certificate>({.where = "source_type = 'auto' AND auto_renew = 1 AND (expires_at "
                                         "<= :soon OR not_before > :now)",
                                .values = {{"soon", to_milliseconds(now + longest_renewal_window)},
                                           {"now", to_milliseconds(now)}}});
  });
  for (const Certificate& each : candidates) {
    if (!is_own_due(each, now)) continue;
    store.write(manager, [&](Writer& db) {
      auto current = db.find<Certificate>(each.id);
      // Another manager may have been here, or a user.
      if (!current || current->source_type != CertificateSource::Auto || !is_own_due(*current, now))
        return;
      reissue(*current, authority, now);
      db.update(*current);
    });
    log::info("certificate renewed", {{"certificate", each.name}});
  }
}

}  // namespace mp::api
