// A bounded pool of connections to read with, made when they are needed. Few are enough: a read
// takes microseconds, and each connection has a page cache of its own. With SQLite a connection
// keeps its view of the data, which costs more to take than a row, until something is committed.
#pragma once

#include "store/database.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <vector>

namespace mp {

class Pool {
 public:
  Pool(const DatabaseUrl& url, const Vault& vault, Access access, std::size_t most)
      : url_(url), vault_(vault), access_(access), most_(most) {}

  // A connection of one's own until the end of the scope.
  class Lease {
   public:
    Lease(Pool& pool, std::unique_ptr<Connection> connection)
        : pool_(pool), connection_(std::move(connection)), age_(pool.age_) {}
    ~Lease() { pool_.give_back(std::move(connection_), age_); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Connection& connection() const { return *connection_; }
    // After what was read: commits, unless the next reader may have the same view.
    void finish() const;

   private:
    Pool& pool_;
    std::unique_ptr<Connection> connection_;
    const std::uint64_t age_;  // its view has all commits up to then
  };

  // Waits at most 5 s for a free one. Throws Unavailable.
  Lease take();

  // Around each commit of the writer, by its thread: meanwhile no idle connection has a view, for
  // SQLite carries its log over into the file only when nobody looks at an older state.
  void before_commit();
  void after_commit() { ++age_; }

 private:
  void give_back(std::unique_ptr<Connection> connection, std::uint64_t age);
  bool may_keep(std::uint64_t age) const;

  const DatabaseUrl url_;
  const Vault& vault_;
  const Access access_;
  const std::size_t most_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<std::unique_ptr<Connection>> idle_;  // the last used one is taken first
  std::size_t made_ = 0;
  std::atomic<std::uint64_t> age_{0};  // odd during a commit
};

}  // namespace mp
