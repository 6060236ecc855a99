// How much of something is allowed in which time: "5/minute". Settings are written in it, rate
// limits work with it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace mp {

struct Quota {
  std::int64_t requests = 0;  // 1 to 1,000,000,000
  std::chrono::seconds window{};
};

// N/second, N/minute, N/hour or N/day; nullopt for anything else.
std::optional<Quota> parse_quota(std::string_view text);

}  // namespace mp
