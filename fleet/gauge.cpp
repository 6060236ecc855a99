#include "fleet/gauge.hpp"

#include <algorithm>

namespace mp::fleet {
namespace {

double seconds(Clock::duration span) { return std::chrono::duration<double>(span).count(); }

}  // namespace

Gauge::Gauge(std::size_t proxies) {
  for (Part& part : parts_) part.last.resize(proxies / parts_.size() + 1);
}

void Gauge::requested(std::size_t proxy, Moment now) {
  Part& part = part_of(proxy);
  const std::lock_guard lock{part.mutex};
  part.activity = std::max(part.activity, now);
}

void Gauge::received(std::size_t proxy, std::uint64_t bytes, std::size_t resources, Moment now) {
  Part& part = part_of(proxy);
  const std::lock_guard lock{part.mutex};
  part.activity = std::max(part.activity, now);
  if (!part.change) part.change = Change{.began = now, .ended = now};
  ++part.change->responses;
  part.change->bytes += bytes;
  part.change->resources += resources;
}

void Gauge::acknowledged(std::size_t proxy, Moment now) {
  Part& part = part_of(proxy);
  const std::lock_guard lock{part.mutex};
  part.activity = std::max(part.activity, now);
  part.last[proxy / parts_.size()] = now;
}

std::optional<Change> Gauge::finished(Moment now, std::chrono::milliseconds pause) {
  std::vector<std::unique_lock<std::mutex>> locks;
  std::optional<Change> done;
  Moment activity{};
  for (Part& part : parts_) {
    locks.emplace_back(part.mutex);
    activity = std::max(activity, part.activity);
    if (!part.change) continue;
    if (!done) done = Change{.began = part.change->began, .ended = part.change->began};
    done->began = std::min(done->began, part.change->began);
    done->responses += part.change->responses;
    done->bytes += part.change->bytes;
    done->resources += part.change->resources;
  }
  if (!done || now < activity + pause) return std::nullopt;
  std::vector<double> times;
  for (Part& part : parts_) {
    part.change.reset();
    for (Moment& last : part.last) {
      if (last == Moment{}) continue;
      done->ended = std::max(done->ended, last);
      times.push_back(seconds(last - done->began));
      last = {};
    }
  }
  done->proxies = times.size();
  if (times.empty()) return done;
  std::ranges::sort(times);
  done->half = times[times.size() / 2];
  done->p99 = times[times.size() * 99 / 100];
  done->all = times.back();
  return done;
}

Moment Gauge::last_activity() const {
  Moment activity{};
  for (const Part& part : parts_) {
    const std::lock_guard lock{part.mutex};
    activity = std::max(activity, part.activity);
  }
  return activity;
}

}  // namespace mp::fleet
