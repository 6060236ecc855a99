// When something about a cluster's intent begins or ends by the clock alone: previous secrets,
// certificates, authorities. Kept in step row by row. Used by hub, to build again in time. Not
// thread-safe: one owner each.
#pragma once

#include "base/time.hpp"
#include "xds/config.hpp"

#include <optional>
#include <set>
#include <vector>

namespace mp::xds {

// When a certificate begins and ends to count; none for one that is revoked.
std::vector<Time> moments_of(const Certificate& certificate);

class Calendar {
 public:
  // Takes over the rows; costs what differs from those before.
  void update(const ClusterConfig& config);

  // The first moment after `now`.
  std::optional<Time> next(Time now) const;

 private:
  ClusterConfig config_;  // as it was last given
  std::multiset<Time> moments_;
};

}  // namespace mp::xds
