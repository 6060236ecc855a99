// Hears what other managers commit, as it happens: LISTEN on a connection to PostgreSQL of its own,
// made anew whenever it is lost. Four times a second it sends itself a word over the same channel:
// having heard it, it has heard every commit before. Used by store.cpp; callbacks come from its
// thread.
#pragma once

#include "store/notice.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace mp {

class Listener {
 public:
  struct Ears {
    std::function<void(const Notice&)> heard;  // of others
    std::function<void()> missed;  // from the last `heard` to now there may have been others
  };
  // `target` is libpq's; `self` is the sender whose notices are not told.
  Listener(std::string target, std::string self, Ears ears);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Whether everything that was committed up to a second ago has been heard. False while the
  // connection is away or slow.
  bool is_current() const;
  // Waits until the notice of one's own commit has come back, by when the others have been sent it
  // too. False when it has not within `patience`, and at once while nothing can be heard.
  bool await(std::int64_t revision, std::chrono::milliseconds patience) const;

 private:
  class Line;
  void run();
  void listen(Line& line);
  void tell(const Notice& notice);
  bool rest(std::chrono::milliseconds time) const;

  const std::string target_;
  const std::string self_;
  const Ears ears_;
  const int wake_;                              // eventfd: the end has come
  std::atomic<std::int64_t> current_until_{0};  // of the steady clock, nanoseconds
  mutable std::mutex mutex_;
  mutable std::condition_variable came_back_;
  std::int64_t own_revision_ = 0;  // newest of one's own that was heard
  std::thread thread_;
};

}  // namespace mp
