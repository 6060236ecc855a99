// A fixed number of threads for work that may block, behind a bounded queue. Used by api/ so that
// the I/O threads never wait. It keeps no order between jobs that run at the same time. The thread
// that rested last is called first: what it used is still in the caches, and threads that the load
// does not need are left alone.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

#include <pthread.h>

namespace mp {

class Workers {
 public:
  // Starts all threads (at least one). `queue_limit` bounds the jobs that wait for one.
  // Throws std::system_error when the system has no thread to give.
  Workers(std::size_t threads, std::size_t queue_limit);
  ~Workers();  // stop()
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // False, and the job is dropped, when the queue is full or after stop(). An exception that leaves
  // a job is logged and goes no further. Safe from any thread.
  bool post(std::function<void()> job);

  // Jobs that wait or run at this moment. Safe from any thread.
  std::size_t busy() const { return busy_.load(std::memory_order_relaxed); }

  // Takes no more jobs, finishes those it has, joins. Not from a job.
  void stop();

 private:
  // Where a thread rests.
  struct Seat {
    std::condition_variable called;
    bool taken = false;  // by its thread
  };

  static void* enter(void* workers);
  void start_thread();
  void run();
  void rest(std::unique_lock<std::mutex>& lock, Seat& seat);

  const std::size_t queue_limit_;
  std::mutex mutex_;
  std::deque<std::function<void()>> queue_;
  std::deque<Seat> seats_;      // of all threads; one is not moved while it is used
  std::vector<Seat*> resting_;  // the last to come is the first to go
  std::atomic<std::size_t> busy_{0};
  bool stopping_ = false;
  std::vector<pthread_t> threads_;
};

}  // namespace mp
