#include "access/rate.hpp"

#include "access/client.hpp"

namespace mp {
namespace {

constexpr std::string_view names[] = {"general", "authentication", "configuration"};

// A window that has closed opens anew; one that is over its quota stays as it is.
constexpr std::string_view take_one =
    "INSERT INTO rate_windows (category, caller, used, ends_at) "
    "VALUES (:category, :caller, 1, :end) "
    "ON CONFLICT (category, caller) DO UPDATE SET "
    "used = CASE WHEN rate_windows.ends_at <= :now THEN 1 "
    "WHEN rate_windows.used > :limit THEN rate_windows.used ELSE rate_windows.used + 1 END, "
    "ends_at = CASE WHEN rate_windows.ends_at <= :now THEN EXCLUDED.ends_at "
    "ELSE rate_windows.ends_at END "
    "RETURNING used, ends_at";

std::string key_of(Rate rate, const Caller& caller) {
  const bool known = caller.user || caller.cluster;
  if (rate == Rate::Authentication || !known) return "address:" + client_network(caller.address);
  return caller.key();
}

const std::string& setting_of(Rate rate, const RateLimitSettings& settings) {
  if (rate == Rate::Authentication) return settings.authentication;
  return rate == Rate::Configuration ? settings.configuration : settings.general;
}

Counter& counter_of(Rate rate, const char* outcome, Registry& metrics) {
  return metrics.counter("marchproxy_rate_limit_requests_total",
                         "Requests that were counted against a rate limit",
                         {{"category", std::string(to_string(rate))}, {"outcome", outcome}});
}

}  // namespace

std::string_view to_string(Rate rate) { return names[static_cast<std::size_t>(rate)]; }

Rates::Category::Category(Rate rate, const Quota& quota, Registry& metrics)
    : rate(rate),
      limiter(quota),
      allowed(counter_of(rate, "allowed", metrics)),
      refused(counter_of(rate, "refused", metrics)) {}

Rates::Rates(const RateLimitSettings& settings, Store& store, Registry& metrics)
    : store_(store), shared_(store.kind() == "postgresql") {
  for (std::size_t at = 0; at < categories_.size(); ++at) {
    const Rate rate = static_cast<Rate>(at);
    if (const auto quota = parse_quota(setting_of(rate, settings)))
      categories_[at] = std::make_unique<Category>(rate, *quota, metrics);
  }
}

std::optional<Verdict> Rates::take(Rate rate, const Caller& caller, Time now) {
  if (rate == Rate::Unlimited) return std::nullopt;
  Category* category = categories_[static_cast<std::size_t>(rate)].get();
  if (!category) return std::nullopt;
  const std::string key = key_of(rate, caller);
  const Verdict verdict =
      shared_ ? take_shared(*category, key, now) : category->limiter.take(key, now);
  (verdict.allowed ? category->allowed : category->refused).add();
  return verdict;
}

// Within a window what was used only grows: a refusal holds until its end, and needs no database.
Verdict Rates::take_shared(Category& category, const std::string& key, Time now) {
  if (const auto known = category.limiter.refused(key, now)) return *known;
  const Quota& quota = category.limiter.quota();
  const auto rows = store_.tally(take_one,
                                 {{"category", std::string(to_string(category.rate))},
                                  {"caller", key},
                                  {"end", to_milliseconds(now + quota.window)},
                                  {"now", to_milliseconds(now)},
                                  {"limit", quota.requests}},
                                 {Column::Integer, Column::Integer});
  const auto used = std::get<std::int64_t>(rows.at(0).at(0));
  const Time reset = from_milliseconds(std::get<std::int64_t>(rows.at(0).at(1)));
  if (used <= quota.requests) return {true, quota.requests, quota.requests - used, reset};
  category.limiter.close(key, reset, now);
  return {false, quota.requests, 0, reset};
}

void Rates::forget_closed(Time now) {
  if (!shared_) return;
  store_.tally("DELETE FROM rate_windows WHERE ends_at <= :now", {{"now", to_milliseconds(now)}},
               {});
}

void Rates::report(Scrape& scrape, Time now) {
  for (const auto& category : categories_) {
    if (!category) continue;
    const std::string name(to_string(category->rate));
    auto live = static_cast<double>(category->limiter.live(now));
    if (shared_) {
      store_.read([&](Reader& db) {
        const auto rows = db.query(
            "SELECT COUNT(*) FROM rate_windows WHERE category = :category AND ends_at > :now",
            {{"category", name}, {"now", to_milliseconds(now)}}, {Column::Integer});
        live = static_cast<double>(std::get<std::int64_t>(rows.at(0).at(0)));
      });
    }
    scrape.gauge("marchproxy_rate_limit_keys", "Callers whose rate limit window is open",
                 {{"category", name}}, live);
  }
}

}  // namespace mp
