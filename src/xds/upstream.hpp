// Where traffic goes, as Envoy clusters: balancing, health, limits and TLS to one service or to the
// pool of a mapping's services. Used by build.cpp. Knows nothing of listeners and routes.
#pragma once

#include "xds/intent.hpp"

namespace mp::xds {

struct UpstreamResources {
  ResourcePtr cluster;
  ResourcePtr endpoints;  // null when the cluster resolves names and carries its addresses itself
  std::vector<Finding> findings;
};

UpstreamResources make_upstream(const Upstream& upstream, const Keyring& keyring);

}  // namespace mp::xds
