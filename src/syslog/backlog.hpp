// Records that wait for one server, in order, bounded in bytes. What does not fit is refused: the
// first records of an incident are worth more than the last. Thread-safe.
#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

namespace mp::syslog {

class Backlog {
 public:
  explicit Backlog(std::size_t most_bytes) : most_(most_bytes) {}

  // Appends as many as fit; how many did.
  std::size_t put(std::vector<std::string> records);
  // Takes from the front: at least one, if there is any, and no more than `bytes` or `count`.
  std::vector<std::string> take(std::size_t bytes, std::size_t count);
  // Puts what was taken back to the front.
  void give_back(std::vector<std::string> records);
  // Forgets all; how many that were.
  std::size_t clear();
  bool empty() const { return bytes() == 0; }
  std::size_t bytes() const;

 private:
  const std::size_t most_;
  mutable std::mutex mutex_;
  std::deque<std::string> records_;
  std::size_t bytes_ = 0;
};

}  // namespace mp::syslog
