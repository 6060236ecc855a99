// Counts what all simulated proxies receive and acknowledge, and tells one change from the next: a
// change begins with the first response after a pause and ends with the last acknowledgement before
// one. Safe from any thread. Used by line.cpp and fleet.cpp.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

namespace mp::fleet {

using Clock = std::chrono::system_clock;
using Moment = Clock::time_point;

struct Change {
  Moment began;  // the first response
  Moment ended;  // the last acknowledgement
  std::size_t proxies = 0;
  std::uint64_t responses = 0;
  std::uint64_t resources = 0;
  std::uint64_t bytes = 0;
  // Seconds from the beginning until so many of these proxies had acknowledged.
  double half = 0;
  double p99 = 0;
  double all = 0;
};

class Gauge {
 public:
  explicit Gauge(std::size_t proxies) : last_(proxies) {}

  void requested(Moment now);  // a request other than an acknowledgement was written
  void received(std::uint64_t bytes, std::size_t resources, Moment now);
  void acknowledged(std::size_t proxy, Moment now);

  // The change that is over, when nothing came for `pause`; it is given once.
  std::optional<Change> finished(Moment now, std::chrono::milliseconds pause);
  // Since when nothing has been written or received.
  Moment last_activity() const;

 private:
  mutable std::mutex mutex_;
  std::vector<Moment> last_;  // acknowledgement of each proxy; zero: none in this change
  std::optional<Change> change_;
  Moment activity_{};
};

}  // namespace mp::fleet
