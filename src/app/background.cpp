#include "app/background.hpp"

#include "base/log.hpp"

#include <algorithm>

namespace mp {
namespace {

using Clock = std::chrono::steady_clock;

void run(const Task& task) {
  try {
    task.run();
  } catch (const std::exception& fault) {
    log::warning("background task failed", {{"task", task.name}, {"fault", fault.what()}});
  }
}

}  // namespace

Background::Background(std::vector<Task> tasks)
    : tasks_(std::move(tasks)), thread_([this] { loop(); }) {}

Background::~Background() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  thread_.join();
}

void Background::loop() {
  std::vector<Clock::time_point> due;
  for (const Task& task : tasks_) due.push_back(Clock::now() + task.first.value_or(task.interval));
  for (;;) {
    const auto next = std::ranges::min_element(due);
    {
      std::unique_lock lock(mutex_);
      if (stop_.wait_until(lock, *next, [&] { return stopping_; })) return;
    }
    const Task& task = tasks_[static_cast<std::size_t>(next - due.begin())];
    run(task);
    *next = Clock::now() + task.interval;
  }
}

}  // namespace mp
