#include "store/call_watch.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

namespace mp {
namespace {

constexpr std::chrono::milliseconds longest_step{500};

}  // namespace

CallWatch::CallWatch(std::chrono::milliseconds longest)
    : longest_(longest), thread_([this] { run(); }) {}

CallWatch::~CallWatch() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  thread_.join();
}

// Looks now and then, so that a call need not wake it.
void CallWatch::run() {
  const auto step = std::min(longest_step, longest_ / 4);
  std::unique_lock lock(mutex_);
  while (!stop_.wait_for(lock, step, [this] { return stopping_; })) end_late();
}

void CallWatch::end_late() {
  const auto now = Clock::now();
  for (Entry& call : calls_) {
    if (call.deadline > now) return;
    if (!std::exchange(call.ended, true)) ::shutdown(call.socket, SHUT_RDWR);
  }
}

CallWatch::Call::Call(CallWatch& watch, int socket)
    : watch_(watch),
      own_{{.socket = socket, .deadline = Clock::now() + watch.longest_}},
      place_(own_.begin()) {
  const std::lock_guard lock(watch_.mutex_);
  watch_.calls_.splice(watch_.calls_.end(), own_);
}

CallWatch::Call::~Call() {
  const std::lock_guard lock(watch_.mutex_);
  own_.splice(own_.end(), watch_.calls_, place_);
}

}  // namespace mp
