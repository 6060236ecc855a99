// Bytes of many resources as they stand in a response, made once for all streams of a group that
// are sent the same ones: when thousands connect, each gets the same first response of a type, and
// while clients are slow these bytes wait once, not once a stream. Safe from any thread. Used by
// xds/session, through xds/wire.
#pragma once

#include "xds/shared_list.hpp"
#include "xds/snapshot.hpp"

#include <deque>
#include <memory>
#include <mutex>
#include <string>

namespace mp::xds {

class Parcels {
 public:
  using Bytes = std::shared_ptr<const std::string>;

  // What `make` wrote for these very resources, the newest first asked; else what it writes now.
  template <class Make>
  Bytes of(const SharedList<ResourcePtr>& resources, Make make) {
    // Held while making: the streams that come meanwhile want the same bytes.
    const std::lock_guard lock{mutex_};
    for (const auto& entry : entries_) {
      if (entry.resources == resources) return entry.bytes;
    }
    if (entries_.size() == kept) entries_.pop_back();
    entries_.push_front({resources, std::make_shared<const std::string>(make(resources))});
    return entries_.front().bytes;
  }

 private:
  struct Entry {
    SharedList<ResourcePtr> resources;
    Bytes bytes;
  };
  static constexpr std::size_t kept = 8;

  std::mutex mutex_;
  std::deque<Entry> entries_;
};

}  // namespace mp::xds
