// Counts what all simulated proxies receive and acknowledge, and tells one change from the next: a
// change begins with the first response after a pause and ends with the last acknowledgement before
// one. Safe from any thread. Used by line.cpp and fleet.cpp.
#pragma once

#include <array>
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
  explicit Gauge(std::size_t proxies);

  void requested(std::size_t proxy, Moment now);  // it wrote what is no acknowledgement
  void received(std::size_t proxy, std::uint64_t bytes, std::size_t resources, Moment now);
  void acknowledged(std::size_t proxy, Moment now);

  // The change that is over, when nothing came for `pause`; it is given once.
  std::optional<Change> finished(Moment now, std::chrono::milliseconds pause);
  // Since when nothing has been written or received.
  Moment last_activity() const;

 private:
  // Every so many-th proxy: the threads that serve them do not wait for each other.
  struct alignas(64) Part {
    mutable std::mutex mutex;
    std::vector<Moment> last;  // acknowledgement of each proxy; zero: none in this change
    std::optional<Change> change;
    Moment activity{};
  };
  Part& part_of(std::size_t proxy) { return parts_[proxy % parts_.size()]; }

  std::array<Part, 16> parts_;
};

}  // namespace mp::fleet
