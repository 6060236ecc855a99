#include "base/workers.hpp"

#include "base/log.hpp"
#include "base/scheduling.hpp"

#include <algorithm>
#include <exception>
#include <system_error>
#include <utility>

namespace mp {

namespace {

// Less than a huge page: with transparent huge pages on, the default of 8 MiB costs every thread 2
// MiB of real memory at its first touch.
constexpr std::size_t stack_size = 1024 * 1024;

}  // namespace

Workers::Workers(std::size_t threads, std::size_t queue_limit) : queue_limit_(queue_limit) {
  threads_.reserve(threads);
  try {
    while (threads_.size() < std::max<std::size_t>(threads, 1)) start_thread();
  } catch (...) {
    stop();
    throw;
  }
}

Workers::~Workers() { stop(); }

void Workers::start_thread() {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, stack_size);
  pthread_t thread;
  const int error = pthread_create(&thread, &attributes, &Workers::enter, this);
  pthread_attr_destroy(&attributes);
  if (error != 0)
    throw std::system_error(error, std::generic_category(), "cannot start a worker thread");
  threads_.push_back(thread);
}

void* Workers::enter(void* workers) {
  scheduling::go_first();
  static_cast<Workers*>(workers)->run();
  return nullptr;
}

bool Workers::post(std::function<void()> job) {
  Seat* next = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || queue_.size() >= queue_limit_) return false;
    queue_.push_back(std::move(job));
    ++busy_;
    if (!resting_.empty()) {
      next = resting_.back();
      next->taken = false;
      resting_.pop_back();
    }
  }
  if (next) next->called.notify_one();
  return true;
}

// Until a job or the end calls. The job may be somebody else's by then.
void Workers::rest(std::unique_lock<std::mutex>& lock, Seat& seat) {
  seat.taken = true;
  resting_.push_back(&seat);
  seat.called.wait(lock, [&] { return !seat.taken; });
}

void Workers::run() {
  std::unique_lock lock(mutex_);
  Seat& seat = seats_.emplace_back();
  while (true) {
    while (queue_.empty()) {
      if (stopping_) return;
      rest(lock, seat);
    }
    auto job = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    try {
      job();
    } catch (const std::exception& error) {
      log::error("a job failed", {{"error", error.what()}});
    }
    job = nullptr;  // what it holds goes outside of the lock
    lock.lock();
    --busy_;
  }
}

void Workers::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (Seat* seat : std::exchange(resting_, {})) {
      seat->taken = false;
      seat->called.notify_one();
    }
  }
  for (const auto thread : std::exchange(threads_, {})) pthread_join(thread, nullptr);
}

}  // namespace mp
