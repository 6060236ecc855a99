// One plan at a time: a plan holds up writers while its changes are tried, and takes the memory of
// a whole configuration. Used by api/plans alone.
#pragma once

#include "base/error.hpp"

#include <chrono>
#include <mutex>

namespace mp::api {

class PlanTurn {
 public:
  // Until the lock goes. Throws Unavailable when the turn does not come within 5 s.
  std::unique_lock<std::timed_mutex> take() {
    std::unique_lock lock(mutex_, std::chrono::seconds(5));
    if (!lock) throw unavailable("Other plans are being tried", "no turn for a plan");
    return lock;
  }

 private:
  std::timed_mutex mutex_;
};

}  // namespace mp::api
