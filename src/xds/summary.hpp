// What the snapshots of one cluster's groups say together about its objects: findings, and which
// certificates proxies are given. Remade only when one of them says something else. Used by hub.
// Not thread-safe: one owner each.
#pragma once

#include "xds/server.hpp"
#include "xds/snapshot.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <set>

namespace mp::xds {

class Summary {
 public:
  using Certificates = std::set<std::int64_t>;

  void take(const GroupKey& group, const Snapshot& snapshot);
  void drop(const GroupKey& group);

  // Sorted; never null. The same objects as before when nothing changed.
  const std::shared_ptr<const Findings>& findings();
  const std::shared_ptr<const Certificates>& certificates();

 private:
  struct Part {
    std::shared_ptr<const Findings> findings;
    Catalogue secrets;
  };
  std::map<GroupKey, Part> parts_;
  std::shared_ptr<const Findings> findings_;  // null: to be made
  std::shared_ptr<const Certificates> certificates_;
};

}  // namespace mp::xds
