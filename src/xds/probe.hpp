// Active health checks of an upstream. Used by upstream.cpp.
#pragma once

#include "xds/intent.hpp"

#include "envoy/config/cluster/v3/cluster.pb.h"

namespace mp::xds {

// All services of the upstream ask for the same check, or all for none.
bool probes_agree(const Upstream& upstream);

// Adds the check that the services ask for; when they disagree, a connection attempt with the
// timing of the first that asks for any.
void set_probes(envoy::config::cluster::v3::Cluster& cluster, const Upstream& upstream);

}  // namespace mp::xds
