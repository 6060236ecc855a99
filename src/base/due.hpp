// Turns that are kept with the time at which they come.
#pragma once

#include "base/time.hpp"

namespace mp {

// Whether a turn is to be taken: its time has come, or is further away than any turn is put off,
// as the clock went back since.
inline bool is_due(Time at, Time now, Time::duration longest) {
  return at <= now || at > now + longest;
}

}  // namespace mp
