#include "xds/probe.hpp"

#include <algorithm>
#include <tuple>

namespace mp::xds {
namespace {

// The check of a service, when it asks for one.
const HealthCheck* check_of(const Service& service) {
  return service.health_check && service.health_check->enabled ? &*service.health_check : nullptr;
}

auto content(const HealthCheck& check) {
  return std::tie(check.protocol, check.path, check.interval, check.timeout,
                  check.healthy_threshold, check.unhealthy_threshold);
}

bool same(const HealthCheck* left, const HealthCheck* right) {
  return left && right ? content(*left) == content(*right) : left == right;
}

void set_protocol(envoy::config::core::v3::HealthCheck& probe, const HealthCheck& check,
                  const Service& service) {
  switch (check.protocol) {
    case HealthProtocol::Http:
      probe.mutable_http_health_check()->set_path(check.path);
      probe.mutable_http_health_check()->set_host(service.name);
      if (service.protocol == UpstreamProtocol::Http2) {
        probe.mutable_http_health_check()->set_codec_client_type(envoy::type::v3::HTTP2);
      }
      break;
    case HealthProtocol::Tcp: probe.mutable_tcp_health_check(); break;
    // Otherwise Envoy asks in the name of its cluster, whose slashes servers refuse.
    case HealthProtocol::Grpc:
      probe.mutable_grpc_health_check()->set_authority(service.name);
      break;
  }
}

}  // namespace

bool probes_agree(const Upstream& upstream) {
  const HealthCheck* first = check_of(*upstream.targets.front()->service);
  return std::ranges::all_of(upstream.targets, [&](const PartyPtr& party) {
    return same(check_of(*party->service), first);
  });
}

void set_probes(envoy::config::cluster::v3::Cluster& cluster, const Upstream& upstream) {
  const auto asks = [](const PartyPtr& party) { return check_of(*party->service) != nullptr; };
  const auto found = std::ranges::find_if(upstream.targets, asks);
  if (found == upstream.targets.end()) return;
  const HealthCheck& check = *check_of(*(*found)->service);
  auto& probe = *cluster.add_health_checks();
  probe.mutable_interval()->set_seconds(check.interval);
  // Envoy asks only once a minute where there was no traffic yet; what fails then, stays so.
  probe.mutable_no_traffic_interval()->set_seconds(check.interval);
  probe.mutable_timeout()->set_seconds(check.timeout);
  probe.mutable_healthy_threshold()->set_value(static_cast<unsigned>(check.healthy_threshold));
  probe.mutable_unhealthy_threshold()->set_value(static_cast<unsigned>(check.unhealthy_threshold));
  // What is passed through untouched is TLS, which a probe of ours is not.
  if (probes_agree(upstream) && upstream.wire != Wire::Untouched) {
    set_protocol(probe, check, *(*found)->service);
  } else {
    probe.mutable_tcp_health_check();
  }
}

}  // namespace mp::xds
