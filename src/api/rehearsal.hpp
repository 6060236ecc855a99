// Tries changes: each through the handler of its own endpoint, all in one transaction that is
// undone. What came of it is all that is left: problems, the entries that the log would have had,
// and the configuration of the clusters concerned before and after. Used by api/plans.
#pragma once

#include "api/call.hpp"
#include "model/plan.hpp"
#include "xds/config.hpp"

#include <map>
#include <vector>

namespace mp::api {

struct Rehearsal {
  struct Fleet {
    xds::ClusterConfigPtr before;
    xds::ClusterConfigPtr after;  // shares the objects that are the same
    std::vector<Proxy> proxies;
  };

  std::int64_t revision = 0;
  std::vector<PlanProblem> problems;
  std::vector<ChangeEntry> entries;
  std::map<std::int64_t, Fleet> fleets;  // by cluster
};

// Throws Unavailable when the changes take longer than 5 s, Validation when they would change more
// than 20,000 objects.
Rehearsal rehearse(Call& call, const std::vector<PlannedChange>& changes);

// What would become of each object, in the order in which they are first touched.
std::vector<PlannedObject> objects_of(const std::vector<ChangeEntry>& entries);

}  // namespace mp::api
