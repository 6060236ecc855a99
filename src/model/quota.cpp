#include "model/quota.hpp"

#include <array>
#include <charconv>

namespace mp {
namespace {

constexpr std::int64_t most_requests = 1'000'000'000;

struct Unit {
  std::string_view name;
  std::chrono::seconds length;
};
constexpr std::array units{Unit{"second", std::chrono::seconds(1)},
                           Unit{"minute", std::chrono::minutes(1)},
                           Unit{"hour", std::chrono::hours(1)}, Unit{"day", std::chrono::days(1)}};

}  // namespace

std::optional<Quota> parse_quota(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos || slash == 0 || text[0] < '1' || text[0] > '9')
    return std::nullopt;
  Quota quota;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + slash, quota.requests);
  if (failed != std::errc() || end != text.data() + slash || quota.requests > most_requests)
    return std::nullopt;
  for (const Unit& unit : units) {
    if (unit.name != text.substr(slash + 1)) continue;
    quota.window = unit.length;
    return quota;
  }
  return std::nullopt;
}

}  // namespace mp
