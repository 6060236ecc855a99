// Streams whose cluster key could not be checked, as the database was away: they are asked about
// again after a pause, all in one job and never in two at once, so that a database that hangs takes
// one thread. Used by switchboard and log_stream; safe from any thread.
#pragma once

#include "base/time.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <utility>

namespace mp::xds {

inline constexpr Milliseconds key_check_pause{5'000};

template <class Stream>
class Unchecked {
 public:
  using Post = std::function<bool(std::function<void()>)>;

  void add(std::shared_ptr<Stream> stream, Time now) {
    const std::lock_guard lock{mutex_};
    if (streams_.empty()) due_ = now + key_check_pause;
    streams_.insert(std::move(stream));
  }

  // Posts the job when its time has come. What is posted must run before this ends.
  void tick(Time now, const Post& post) {
    Streams streams;
    {
      const std::lock_guard lock{mutex_};
      if (streams_.empty() || asking_ || now < due_) return;
      asking_ = true;
      streams.swap(streams_);
    }
    const auto job = [this, streams] {
      for (const auto& stream : streams) stream->recheck();
      done();
    };
    if (post(job)) return;
    for (const auto& stream : streams) add(stream, now);
    done();
  }

 private:
  using Streams = std::set<std::shared_ptr<Stream>>;

  void done() {
    const std::lock_guard lock{mutex_};
    asking_ = false;
  }

  std::mutex mutex_;
  Streams streams_;
  Time due_;
  bool asking_ = false;
};

}  // namespace mp::xds
