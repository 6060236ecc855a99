// How much one caller may ask: the categories of endpoints, their quotas from the settings, and who
// is counted. With SQLite the windows are in memory; managers on one PostgreSQL share them there,
// in one statement for each request, which is asked no more once a caller is over his quota.
// Thread-safe.
#pragma once

#include "access/limiter.hpp"
#include "access/policy.hpp"
#include "base/metrics.hpp"
#include "settings/settings.hpp"
#include "store/store.hpp"

#include <array>
#include <memory>
#include <optional>
#include <string_view>

namespace mp {

// The category of an endpoint. Authentication is counted by client address; General by API key, or
// by user for a session; Configuration by cluster. Who cannot be told from others by that is
// counted by his address.
enum class Rate { General, Authentication, Configuration, Unlimited };
// "general"; of the limited ones.
std::string_view to_string(Rate rate);

class Rates {
 public:
  Rates(const RateLimitSettings& settings, Store& store, Registry& metrics);

  // Counts a request; nullopt when nothing limits it. Throws Unavailable without the database that
  // the windows are shared in.
  std::optional<Verdict> take(Rate rate, const Caller& caller, Time now);

  // Removes shared windows that have closed; from the background loop.
  void forget_closed(Time now);
  // Keys whose window is open, for a scrape.
  void report(Scrape& scrape, Time now);

 private:
  struct Category {
    Category(Rate rate, const Quota& quota, Registry& metrics);
    Rate rate;
    Limiter limiter;
    Counter& allowed;
    Counter& refused;
  };
  Verdict take_shared(Category& category, const std::string& key, Time now);

  Store& store_;
  const bool shared_;
  std::array<std::unique_ptr<Category>, 3> categories_;  // by Rate; none for `off`
};

}  // namespace mp
