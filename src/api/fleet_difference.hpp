// What the proxies of a cluster would be given other than now: two configurations through the
// translation, for each kind of proxy that the cluster has. Used by api/plans.
#pragma once

#include "api/rehearsal.hpp"
#include "xds/server.hpp"

#include <span>
#include <vector>

namespace mp::api {

// Kinds of proxies that differ in nothing but their listen address are one: the names of resources
// do not depend on it. `connected`: the groups that have streams now. A cluster without proxies
// counts as having one of each type.
std::vector<PlannedAudience> audiences_of(std::int64_t cluster_id, const Rehearsal::Fleet& fleet,
                                          std::span<const xds::GroupKey> connected);

// Fills in what would be different at `now`.
void compare(PlannedAudience& audience, const Rehearsal::Fleet& fleet, Time now);

// Nothing is different for it.
bool is_same(const PlannedAudience& audience);

}  // namespace mp::api
