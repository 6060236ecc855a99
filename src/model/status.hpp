// What the fleet makes of an object: computed from what proxies acknowledged and refused, never
// stored.
#pragma once

#include "model/shape.hpp"

namespace mp {

enum class State { Live, Pending, Rejected, Shadowed, Unsupported, Idle };
template <>
inline constexpr std::array names_of<State>{
    std::string_view("live"),     std::string_view("pending"),     std::string_view("rejected"),
    std::string_view("shadowed"), std::string_view("unsupported"), std::string_view("idle")};

struct Reason {
  std::optional<std::string> proxy_id;
  std::string message;
  std::optional<Time> since;
};

inline constexpr std::array reason_fields{
    field<&Reason::proxy_id>("proxy_id", "The proxy that says so; null when the manager does.",
                             {.mode = Mode::Server, .example = "\"proxy-abc123\""}),
    field<&Reason::message>("message", "What is wrong, in the proxy's own words where it has some.",
                            {.mode = Mode::Server, .example = "\"no healthy upstream\""}),
    field<&Reason::since>("since", "Since when.", {.mode = Mode::Server}),
};
template <>
inline constexpr Description describe<Reason> =
    part<Reason>("reason", "Why an object is not live.", reason_fields);

struct Status {
  State state = State::Idle;
  std::vector<Reason> reasons;
};

inline constexpr std::array status_fields{
    field<&Status::state>("state",
                          "Whether every connected proxy concerned holds it; idle when none is.",
                          {.mode = Mode::Server}),
    field<&Status::reasons>("reasons", "Refusals and warnings.", {.mode = Mode::Server}),
};
template <>
inline constexpr Description describe<Status> =
    part<Status>("status", "Where an object is live.", status_fields);

}  // namespace mp
