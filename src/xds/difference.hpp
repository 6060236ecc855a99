// What changed between two snapshots, and what one holds, computed once for all the streams that
// make the same step. One cache for each group of proxies; safe from any thread. A difference costs
// what differs, as snapshots share the rest.
#pragma once

#include "xds/batch.hpp"
#include "xds/name_set.hpp"
#include "xds/snapshot.hpp"

#include <array>
#include <memory>
#include <mutex>
#include <optional>
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

// What all those are sent who lack the same.
struct Bundle {
  SharedList<Sent> sends;
  Batches batches;
};

// All of one type in a snapshot, for who has nothing.
struct Whole {
  Bundle bundle;
  NameSet names;
};

// From one snapshot to the next.
struct Step {
  Difference difference;
  // Of each type that changed: all of that, when nothing of it left.
  std::array<std::optional<Bundle>, type_count> bundles;
};

class Differences {
 public:
  // `from` may be null: the client has nothing. Never null itself.
  std::shared_ptr<const Step> between(const SnapshotPtr& from, const SnapshotPtr& to);
  std::shared_ptr<const Whole> whole(const SnapshotPtr& snapshot, Type type);
  NameSets& names() { return names_; }  // that streams of the group ask for

 private:
  struct Entry {
    SnapshotPtr from;
    SnapshotPtr to;
    std::shared_ptr<const Step> value;
  };
  static constexpr std::size_t kept = 8;

  std::mutex mutex_;
  std::vector<Entry> entries_;  // the newest last
  std::mutex whole_mutex_;
  SnapshotPtr whole_of_;  // the last one
  std::array<std::shared_ptr<const Whole>, type_count> wholes_;
  NameSets names_;
};

}  // namespace mp::xds
