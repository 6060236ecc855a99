// Points in time as the product writes them: RFC 3339 UTC with Z, milliseconds kept, whole seconds
// printed. Everybody who stores, compares or prints a time uses this type.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mp {

using Milliseconds = std::chrono::milliseconds;
using Time = std::chrono::sys_time<Milliseconds>;

// "2025-12-12T10:30:00Z"; the part below a second is cut.
std::string to_string(Time time);

// Reads RFC 3339 with Z or a numeric offset; nullopt when it is anything else.
std::optional<Time> parse_time(std::string_view text);

constexpr std::int64_t to_milliseconds(Time time) { return time.time_since_epoch().count(); }
constexpr Time from_milliseconds(std::int64_t value) { return Time{Milliseconds{value}}; }

}  // namespace mp
