#include "fleet/gauge.hpp"

#include <algorithm>

namespace mp::fleet {
namespace {

double seconds(Clock::duration span) { return std::chrono::duration<double>(span).count(); }

}  // namespace

void Gauge::requested(Moment now) {
  const std::lock_guard lock{mutex_};
  activity_ = std::max(activity_, now);
}

void Gauge::received(std::uint64_t bytes, std::size_t resources, Moment now) {
  const std::lock_guard lock{mutex_};
  activity_ = std::max(activity_, now);
  if (!change_) change_ = Change{.began = now, .ended = now};
  ++change_->responses;
  change_->bytes += bytes;
  change_->resources += resources;
}

void Gauge::acknowledged(std::size_t proxy, Moment now) {
  const std::lock_guard lock{mutex_};
  activity_ = std::max(activity_, now);
  last_[proxy] = now;
}

std::optional<Change> Gauge::finished(Moment now, std::chrono::milliseconds pause) {
  const std::lock_guard lock{mutex_};
  if (!change_ || now < activity_ + pause) return std::nullopt;
  std::vector<double> times;
  for (Moment& last : last_) {
    if (last == Moment{}) continue;
    change_->ended = std::max(change_->ended, last);
    times.push_back(seconds(last - change_->began));
    last = {};
  }
  std::ranges::sort(times);
  Change done = *change_;
  change_.reset();
  done.proxies = times.size();
  if (times.empty()) return done;
  done.half = times[times.size() / 2];
  done.p99 = times[times.size() * 99 / 100];
  done.all = times.back();
  return done;
}

Moment Gauge::last_activity() const {
  const std::lock_guard lock{mutex_};
  return activity_;
}

}  // namespace mp::fleet
