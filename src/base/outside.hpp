// What pure code must not reach for by itself: the time and randomness. Passed by reference from
// app/manager.cpp; tests pass a clock they set.
#pragma once

#include "base/time.hpp"

#include <atomic>
#include <cstddef>
#include <span>
#include <string>

namespace mp {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;
};

class SystemClock final : public Clock {
 public:
  Time now() const override;
};

// A clock for tests: it stands still until it is set. Safe to set while other threads read it.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Time start);
  Time now() const override;
  void advance(Milliseconds step);

 private:
  std::atomic<std::int64_t> now_;
};

// Fills with bytes of the operating system's generator (libsodium).
void random_bytes(std::span<std::byte> target);

// `length` letters and digits, evenly distributed: about 5.95 bits each.
std::string random_text(std::size_t length);

}  // namespace mp
