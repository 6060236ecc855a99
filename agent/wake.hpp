// The one place where the agent waits: until a time, a stop signal, or the end of the watched
// process. Used by the loop and by every HTTP request. It tells nobody what happened; callers look
// at the state.
#pragma once

#include <array>
#include <chrono>

namespace mp::agent {

using SteadyClock = std::chrono::steady_clock;
using TimePoint = SteadyClock::time_point;

class Wake {
 public:
  // Blocks SIGTERM and SIGINT for the process and receives them by descriptor; call before any
  // thread. Throws std::system_error.
  Wake();
  ~Wake();
  Wake(const Wake&) = delete;
  Wake& operator=(const Wake&) = delete;

  // Returns at the deadline or as soon as there is something to look at.
  void wait(TimePoint deadline);

  // How many stop signals were received by wait() so far.
  int stop_requests() const { return stop_requests_; }

  // A pidfd that ends every wait once its process has ended; -1 for none. Not owned.
  void watch_process(int descriptor) { process_ = descriptor; }

  // What to poll for input beside other descriptors; an entry of -1 is to be left out.
  std::array<int, 2> descriptors() const { return {signals_, process_}; }

 private:
  int signals_;
  int process_ = -1;
  int stop_requests_ = 0;
};

}  // namespace mp::agent
