// From what xds/status knows to what the API says about proxies and revisions.
#pragma once

#include "model/cluster_status.hpp"
#include "xds/status.hpp"

#include <vector>

namespace mp::api {

ConfigState config_state(xds::State state);
ProxyStanding proxy_standing(const xds::ProxyState& proxy);
// Rejected when a connected proxy refuses, else pending when one lacks it; idle without connected
// proxies.
FleetState whole_state(const std::vector<ProxyStanding>& proxies);

}  // namespace mp::api
