#include "store/queue.hpp"

#include <algorithm>

namespace mp {

void WriteQueue::submit(Work& work, Milliseconds deadline) {
  std::unique_lock lock(mutex_);
  if (closed_) throw unavailable("The manager is stopping", "write after stop");
  if (waiting_.size() >= limit_)
    throw unavailable("The database is overloaded", "the write queue is full");
  waiting_.push_back(&work);
  filled_.notify_one();
  if (work.changed->wait_for(lock, deadline, [&] { return work.finished; })) return;
  const auto found = std::ranges::find(waiting_, &work);
  if (found != waiting_.end()) {
    waiting_.erase(found);
    throw unavailable("The database is overloaded", "a write has not begun by its deadline");
  }
  work.changed->wait(
      lock, [&] { return work.finished; });  // ends: each statement has a deadline of its own
}

std::vector<Work*> WriteQueue::take(std::size_t most) {
  std::unique_lock lock(mutex_);
  filled_.wait(lock, [&] { return closed_ || !waiting_.empty(); });
  return first(most);
}

std::vector<Work*> WriteQueue::take_waiting(std::size_t most) {
  const std::lock_guard lock(mutex_);
  return first(most);
}

std::vector<Work*> WriteQueue::first(std::size_t most) {
  const auto count = static_cast<std::ptrdiff_t>(std::min(most, waiting_.size()));
  std::vector<Work*> batch(waiting_.begin(), waiting_.begin() + count);
  waiting_.erase(waiting_.begin(), waiting_.begin() + count);
  return batch;
}

void WriteQueue::put_back(std::span<Work* const> works) {
  const std::lock_guard lock(mutex_);
  waiting_.insert(waiting_.begin(), works.begin(), works.end());
}

void WriteQueue::finish(std::span<Work* const> works) {
  std::vector<std::shared_ptr<std::condition_variable>> finished;
  finished.reserve(works.size());
  {
    const std::lock_guard lock(mutex_);
    for (Work* work : works) {
      finished.push_back(work->changed);
      work->finished = true;
    }
  }
  // Outside of the lock, so that nobody wakes only to wait for it.
  for (const auto& changed : finished) changed->notify_one();
}

void WriteQueue::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  filled_.notify_all();
}

std::size_t WriteQueue::size() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

}  // namespace mp
