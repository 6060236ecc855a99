// How long to wait before the next try: exponential with full jitter, so that many agents that lost
// one manager do not come back together. Pure: the randomness is the caller's.
#pragma once

#include <chrono>

namespace mp::agent {

class Backoff {
 public:
  Backoff(std::chrono::milliseconds first, std::chrono::milliseconds limit)
      : first_(first), limit_(limit) {}

  // A time in [0, min(limit, first * 2^n)) for the n-th call since reset. `share` is in [0, 1).
  std::chrono::milliseconds next(double share);
  void reset() { attempts_ = 0; }

 private:
  std::chrono::milliseconds first_;
  std::chrono::milliseconds limit_;
  int attempts_ = 0;
};

// Evenly distributed in [0, 1), from the operating system's generator.
double random_share();

}  // namespace mp::agent
