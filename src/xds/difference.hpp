// What changed between two snapshots, computed once for all the streams that make the same step.
// One cache for each group of proxies; safe from any thread. Costs what differs, as snapshots share
// the rest.
#pragma once

#include "xds/snapshot.hpp"

#include <array>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace mp::xds {

// Added (no `before`), changed, or removed (no `after`).
struct Change {
  ResourcePtr before;
  ResourcePtr after;
  const std::string& name() const { return after ? after->name : before->name; }
};

using Difference = std::array<std::vector<Change>, type_count>;  // each sorted by name

Difference difference(const Snapshot& from, const Snapshot& to);

class Differences {
 public:
  // `from` may be null: the client has nothing. Never null itself.
  std::shared_ptr<const Difference> between(const SnapshotPtr& from, const SnapshotPtr& to);

 private:
  struct Entry {
    SnapshotPtr from;
    SnapshotPtr to;
    std::shared_ptr<const Difference> value;
  };
  static constexpr std::size_t kept = 8;

  std::mutex mutex_;
  std::vector<Entry> entries_;  // the newest last
};

}  // namespace mp::xds
