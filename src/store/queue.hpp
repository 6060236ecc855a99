// Writes that wait for the writer thread, in order, and the threads that wait for them. A write
// that has not begun by its deadline is withdrawn; one that has is waited for, so that nobody is
// told "not written" of something that was.
#pragma once

#include "store/store.hpp"

#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <vector>

namespace mp {

// What becomes of what a work wrote, when it does not fail.
enum class Outcome { Kept, Undone };

// One write. Lives on the stack of the thread that waits.
struct Work {
  const Actor& actor;
  const std::function<void(Writer&)>& run;
  Outcome outcome = Outcome::Kept;
  std::int64_t revision = 0;
  Nouns stale{};
  std::exception_ptr failure{};
  bool finished = false;
  bool kept() const { return !failure && outcome == Outcome::Kept; }
  // Shared: it is notified without the lock, when the work may be gone already.
  std::shared_ptr<std::condition_variable> changed = std::make_shared<std::condition_variable>();
};

class WriteQueue {
 public:
  explicit WriteQueue(std::size_t limit) : limit_(limit) {}

  // Waits until the work is done; its failure is in it. Throws Unavailable when the queue is full
  // or closed, or the work has not begun after `deadline`.
  void submit(Work& work, Milliseconds deadline);

  // For the writer thread: the next works, at most `most`; empty after close() when all are done.
  std::vector<Work*> take(std::size_t most);
  // As take(), but does not wait: empty when there are none.
  std::vector<Work*> take_waiting(std::size_t most);
  // Works that have not begun, taken in vain: they come first next time.
  void put_back(std::span<Work* const> works);
  void finish(std::span<Work* const> works);

  void close();
  std::size_t size() const;

 private:
  std::vector<Work*> first(std::size_t most);  // with the lock held

  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<Work*> waiting_;
  bool closed_ = false;
};

}  // namespace mp
