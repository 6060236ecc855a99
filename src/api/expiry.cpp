#include "api/expiry.hpp"

#include "model/certificate.hpp"

#include <array>

namespace mp::api {
namespace {

constexpr std::chrono::hours warning_before{24 * 30};
constexpr std::chrono::hours critical_before{24 * 7};
constexpr std::int64_t most_named = 50;  // series with a certificate's name

std::int64_t count(Reader& db, const std::string& where, Time time) {
  return db.count<Certificate>({.where = where, .values = {{"time", to_milliseconds(time)}}});
}

}  // namespace

ExpiryHealth expiry_health(Reader& db, Time now) {
  const auto rows = db.query("SELECT MIN(expires_at) FROM certificates WHERE revoked_at IS NULL",
                             {}, {Column::Integer});
  const auto* soonest = std::get_if<std::int64_t>(&rows[0][0]);
  if (!soonest) return ExpiryHealth::Healthy;
  const Milliseconds left = from_milliseconds(*soonest) - now;
  return left <= critical_before  ? ExpiryHealth::Critical
         : left <= warning_before ? ExpiryHealth::Warning
                                  : ExpiryHealth::Healthy;
}

void report_certificates(Reader& db, Time now, Scrape& scrape) {
  const auto state = [&](const std::string& name, std::int64_t value) {
    scrape.gauge("marchproxy_certificates", "Certificates by status", {{"status", name}},
                 static_cast<double>(value));
  };
  state("active", count(db, "revoked_at IS NULL AND expires_at > :time", now));
  state("expired", count(db, "revoked_at IS NULL AND expires_at <= :time", now));
  state("revoked", db.count<Certificate>({.where = "revoked_at IS NOT NULL"}));
  const auto failing =
      db.query("SELECT COUNT(*) FROM renewals WHERE failures > 0", {}, {Column::Integer});
  scrape.gauge("marchproxy_certificate_renewals_failing",
               "Certificates whose renewal by the ACME server failed", {},
               static_cast<double>(std::get<std::int64_t>(failing[0][0])));
  const auto rows = db.query(
      "SELECT name, expires_at FROM certificates WHERE revoked_at IS NULL ORDER BY expires_at, id "
      "LIMIT :most",
      {{"most", most_named}}, {Column::Text, Column::Integer});
  for (const Row& row : rows) {
    const auto left = std::chrono::duration_cast<std::chrono::seconds>(
        from_milliseconds(std::get<std::int64_t>(row[1])) - now);
    scrape.gauge("marchproxy_certificate_expiry_seconds",
                 "Seconds until a certificate ends, of the 50 that end first",
                 {{"certificate", std::get<std::string>(row[0])}},
                 static_cast<double>(left.count()));
  }
}

}  // namespace mp::api
