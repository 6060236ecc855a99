// How the kernel shares the cores between threads of this program, so that what takes long does not
// hold up what is short. Linux alone has a nice value and, since 6.12, a slice for each thread;
// without the right to it, or elsewhere, the calls change nothing.
#pragma once

#include <ctime>

namespace mp::scheduling {

// Of the calling thread, which answers others: it takes the core at once from a thread that gives
// way, and from one with the usual slice of three milliseconds.
void go_first();

// Of the calling thread, which computes for long: it gets a tenth of what others get while they
// want it.
void give_way();

// While it lives the calling thread's turns end when its slice is over and somebody waits. The
// kernel by itself looks at its tick alone: who has become ready meanwhile, at a moment at which
// the slice had just begun, would wait for milliseconds. For threads that compute, as every signal
// that it sends to the thread ends a sleep.
class ShortTurns {
 public:
  ShortTurns();
  ~ShortTurns();
  ShortTurns(const ShortTurns&) = delete;
  ShortTurns& operator=(const ShortTurns&) = delete;

 private:
  timer_t timer_{};
  bool is_set_ = false;
};

}  // namespace mp::scheduling
