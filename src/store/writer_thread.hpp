// The one thread that writes: takes all queued works and those that arrive meanwhile, runs each in
// a savepoint and commits them together (group commit), then wakes their threads. Used by
// store.cpp.
#pragma once

#include "store/database.hpp"
#include "store/pool.hpp"
#include "store/queue.hpp"

#include <atomic>
#include <thread>

namespace mp {

class WriterThread {
 public:
  // `committed` is called on the thread, before the works' threads go on, when a commit appended to
  // the log. Other managers are told in the transaction, in the name of `self`. `readers` are told
  // of each commit.
  WriterThread(std::unique_ptr<Connection> connection, WriteQueue& queue, const Clock& clock,
               std::string self, std::function<void(const Notice&)> committed, Pool& readers);
  ~WriterThread();  // finishes what is queued
  WriterThread(const WriterThread&) = delete;
  WriterThread& operator=(const WriterThread&) = delete;

  // Whether the caller is inside a work.
  bool is_current() const { return std::this_thread::get_id() == thread_.get_id(); }

  std::int64_t commits() const { return commits_; }
  std::int64_t writes() const { return writes_; }
  std::int64_t failures() const { return failures_; }

 private:
  void run();
  void run_batch(std::vector<Work*>& batch);
  void run_works(std::vector<Work*>& batch);
  void run_one(Work& work);
  void run_saved(Work& work);
  void commit(const std::vector<Work*>& batch);

  std::unique_ptr<Connection> connection_;
  WriteQueue& queue_;
  const Clock& clock_;
  const std::string self_;
  const std::function<void(const Notice&)> committed_;
  Pool& readers_;
  std::atomic<std::int64_t> commits_{0}, writes_{0}, failures_{0};
  std::thread thread_;
};

}  // namespace mp
