#include "base/scheduling.hpp"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>

namespace mp::scheduling {
namespace {

// The shortest that the kernel takes. Who goes first is preferred by it to others; of who gives way
// it ends the turn early when somebody waits.
constexpr std::chrono::microseconds slice{100};
constexpr int lowest = 19;  // nice value

// How often a turn is looked at; the kernel alone does it at its tick, every 4 ms or so.
constexpr std::chrono::nanoseconds look = slice;
constexpr int look_signal =
    SIGURG;  // means nothing to anybody else, and is ignored where nobody asks

// The kernel brings the thread's time up to date for the answer, and ends a turn that is over.
void ask_for_time_spent(int) {
  const int kept = errno;
  timespec spent{};
  (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
  errno = kept;
}

void let_through(int signal) {
  struct sigaction action{};
  action.sa_handler = ask_for_time_spent;
  action.sa_flags = SA_RESTART;
  sigaction(signal, &action, nullptr);
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, signal);
  pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
}

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

ShortTurns::ShortTurns() {
  let_through(look_signal);
  sigevent event{};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = look_signal;
  event._sigev_un._tid = gettid();
  if (timer_create(CLOCK_MONOTONIC, &event, &timer_) != 0) return;
  is_set_ = true;
  const timespec every{.tv_sec = 0, .tv_nsec = look.count()};
  const itimerspec times{.it_interval = every, .it_value = every};
  timer_settime(timer_, 0, &times, nullptr);
}

ShortTurns::~ShortTurns() {
  if (is_set_) timer_delete(timer_);
}

}  // namespace mp::scheduling
