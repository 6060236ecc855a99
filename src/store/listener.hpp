// Hears what other managers commit, as it happens: LISTEN on a connection to PostgreSQL of its own,
// made anew whenever it is lost. Four times a second it sends itself a word over the same channel:
// having heard it, it has heard every commit before. Used by store.cpp; callbacks come from its
// thread.
#pragma once

#include "store/notice.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
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

 private:
  class Line;
  void run();
  void listen(Line& line);
  bool rest(std::chrono::milliseconds time) const;

  const std::string target_;
  const std::string self_;
  const Ears ears_;
  const int wake_;                              // eventfd: the end has come
  std::atomic<std::int64_t> current_until_{0};  // of the steady clock, nanoseconds
  std::thread thread_;
};

}  // namespace mp
