#include "api/standing.hpp"

namespace mp::api {

ProxyStanding proxy_standing(const xds::ProxyState& proxy) {
  return {.proxy_id = proxy.proxy_id,
          .hostname = proxy.hostname,
          .revision = proxy.revision,
          .state = config_state(proxy.state),
          .since = proxy.since};
}

ConfigState config_state(xds::State state) {
  switch (state) {
    case xds::State::Live: return ConfigState::Live;
    case xds::State::Pending: return ConfigState::Pending;
    case xds::State::Rejected: return ConfigState::Rejected;
    case xds::State::Offline:
    case xds::State::Idle: break;
  }
  return ConfigState::Offline;
}

FleetState whole_state(const std::vector<ProxyStanding>& proxies) {
  FleetState whole = FleetState::Idle;
  for (const ProxyStanding& proxy : proxies) {
    if (proxy.state == ConfigState::Offline) continue;
    if (proxy.state == ConfigState::Rejected) return FleetState::Rejected;
    if (proxy.state == ConfigState::Pending)
      whole = FleetState::Pending;
    else if (whole == FleetState::Idle)
      whole = FleetState::Live;
  }
  return whole;
}

}  // namespace mp::api
