// Ends calls to PostgreSQL that nobody answers. A server that hangs, or a network that swallows
// everything, leaves a connection open and its caller waiting: libpq has no limit of its own for
// that. Used by the PostgreSQL driver for every statement; costs a lock.
#pragma once

#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>
#include <thread>

namespace mp {

class CallWatch {
 public:
  // More than the server's own limit for a statement.
  static constexpr std::chrono::milliseconds usual{15'000};

  explicit CallWatch(std::chrono::milliseconds longest = usual);
  ~CallWatch();
  CallWatch(const CallWatch&) = delete;
  CallWatch& operator=(const CallWatch&) = delete;

  // A call on an open socket until the end of the scope. When it takes longer than it may, the
  // socket is shut down, so that whoever waits on it sees a lost connection.
  class Call;

 private:
  using Clock = std::chrono::steady_clock;
  struct Entry {
    int socket;
    Clock::time_point deadline;
    bool ended = false;
  };
  using Entries = std::list<Entry>;  // all may take equally long, so the oldest is the first due

  void run();
  void end_late();

  const std::chrono::milliseconds longest_;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  Entries calls_;
  std::thread thread_;
};

class CallWatch::Call {
 public:
  Call(CallWatch& watch, int socket);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

 private:
  CallWatch& watch_;
  Entries own_;  // of one entry, before and after
  Entries::iterator place_;
};

}  // namespace mp
