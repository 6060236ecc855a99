// A bounded pool of connections, made when they are needed. Few are enough: a read takes
// microseconds, and each connection has a page cache of its own.
#pragma once

#include "store/database.hpp"

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
        : pool_(pool), connection_(std::move(connection)) {}
    ~Lease() { pool_.give_back(std::move(connection_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Connection& connection() const { return *connection_; }

   private:
    Pool& pool_;
    std::unique_ptr<Connection> connection_;
  };

  // Waits at most 5 s for a free one. Throws Unavailable.
  Lease take();

 private:
  void give_back(std::unique_ptr<Connection> connection);

  const DatabaseUrl url_;
  const Vault& vault_;
  const Access access_;
  const std::size_t most_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<std::unique_ptr<Connection>> idle_;  // the last used one is taken first
  std::size_t made_ = 0;
};

}  // namespace mp
