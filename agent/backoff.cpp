#include "agent/backoff.hpp"

#include "base/outside.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace mp::agent {

std::chrono::milliseconds Backoff::next(double share) {
  const double wanted = std::ldexp(static_cast<double>(first_.count()), attempts_);
  const double top = std::min(wanted, static_cast<double>(limit_.count()));
  if (wanted < static_cast<double>(limit_.count())) ++attempts_;
  return std::chrono::milliseconds(static_cast<std::int64_t>(top * share));
}

double random_share() {
  std::uint64_t bits = 0;
  random_bytes(std::as_writable_bytes(std::span(&bits, 1)));
  return std::ldexp(static_cast<double>(bits >> 11), -53);
}

}  // namespace mp::agent
