#include "base/scheduling.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace mp::scheduling {
namespace {

// The shortest that the kernel takes. Who goes first is preferred by it to others; of who gives way
// it ends the turn early when somebody waits.
constexpr std::chrono::microseconds slice{100};
constexpr int lowest = 19;  // nice value

void ask_for(int steps_down) {
  struct {  // sched_setattr(2); the C library has none
    std::uint32_t size = 48, policy = SCHED_OTHER;
    std::uint64_t flags = 0;
    std::int32_t nice = 0;
    std::uint32_t priority = 0;
    std::uint64_t slice = 0, deadline = 0, period = 0;
  } attributes;
  static_assert(sizeof attributes == 48);
  const int nice = getpriority(PRIO_PROCESS, static_cast<id_t>(gettid()));
  attributes.nice = std::min(nice + steps_down, lowest);
  attributes.slice = std::chrono::nanoseconds(slice).count();
  (void)syscall(SYS_sched_setattr, gettid(), &attributes, 0);
}

}  // namespace

void go_first() { ask_for(0); }

void give_way() { ask_for(10); }

}  // namespace mp::scheduling
