#include "xds/upstream.hpp"

#include "xds/address.hpp"
#include "xds/encode.hpp"
#include "xds/probe.hpp"
#include "xds/upstream_tls.hpp"

#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/endpoint/v3/endpoint.pb.h"
#include "envoy/extensions/clusters/dns/v3/dns_cluster.pb.h"
#include "envoy/extensions/upstreams/http/v3/http_protocol_options.pb.h"

#include <algorithm>

namespace mp::xds {
namespace {

using envoy::config::cluster::v3::Cluster;
using envoy::config::core::v3::ApiVersion;
using envoy::config::endpoint::v3::ClusterLoadAssignment;
using envoy::extensions::clusters::dns::v3::DnsCluster;
using envoy::extensions::upstreams::http::v3::HttpProtocolOptions;

constexpr int connect_timeout = 5;  // seconds
constexpr int idle_timeout = 60;    // seconds; below what servers use to close idle connections
constexpr unsigned buffer_limit = 32768;  // bytes a connection, Envoy's advice for the edge
constexpr unsigned most_connections = 10000, most_pending = 10000, most_requests = 50000,
                   most_retries = 100;

const Service& service_at(const Upstream& upstream, std::size_t at) {
  return *upstream.targets[at]->service;
}

ClusterLoadAssignment load_assignment(const Upstream& upstream) {
  ClusterLoadAssignment assignment;
  assignment.set_cluster_name(upstream.name);
  auto& locality = *assignment.add_endpoints();
  for (const PartyPtr& party : upstream.targets) {
    for (const Target& target : targets_of(*party->service, upstream.port)) {
      auto& endpoint = *locality.add_lb_endpoints();
      auto& address = *endpoint.mutable_endpoint()->mutable_address()->mutable_socket_address();
      address.set_address(target.host);
      address.set_port_value(static_cast<unsigned>(target.port));
      endpoint.mutable_load_balancing_weight()->set_value(target.weight);
      if (upstream.targets.size() > 1) mark_tls(endpoint, upstream, *party->service);
    }
  }
  return assignment;
}

// Names are asked for again as their records say, and at least twice a minute when they fail.
void resolve_names(Cluster& cluster) {
  DnsCluster dns;
  dns.set_dns_lookup_family(envoy::extensions::clusters::common::dns::v3::ALL);
  dns.set_respect_dns_ttl(true);
  dns.mutable_dns_refresh_rate()->set_seconds(5);
  dns.mutable_dns_failure_refresh_rate()->mutable_base_interval()->set_seconds(1);
  dns.mutable_dns_failure_refresh_rate()->mutable_max_interval()->set_seconds(30);
  auto& type = *cluster.mutable_cluster_type();
  type.set_name("envoy.clusters.dns");
  *type.mutable_typed_config() = pack(dns);
}

void ask_for_endpoints(Cluster& cluster) {
  cluster.set_type(Cluster::EDS);
  auto& source = *cluster.mutable_eds_cluster_config()->mutable_eds_config();
  source.mutable_ads();
  source.set_resource_api_version(ApiVersion::V3);
}

void set_limits(Cluster& cluster) {
  cluster.mutable_connect_timeout()->set_seconds(connect_timeout);
  cluster.mutable_per_connection_buffer_limit_bytes()->set_value(buffer_limit);
  auto& limits = *cluster.mutable_circuit_breakers()->add_thresholds();
  limits.mutable_max_connections()->set_value(most_connections);
  limits.mutable_max_pending_requests()->set_value(most_pending);
  limits.mutable_max_requests()->set_value(most_requests);
  limits.mutable_max_retries()->set_value(most_retries);
}

// With one endpoint there is nowhere else to go.
void watch_for_outliers(Cluster& cluster, int endpoints) {
  if (endpoints < 2) return;
  auto& outliers = *cluster.mutable_outlier_detection();
  outliers.mutable_consecutive_5xx()->set_value(5);
  outliers.mutable_max_ejection_percent()->set_value(50);
}

// What all services of the upstream speak; HTTP/1 where they differ.
UpstreamProtocol protocol_of(const Upstream& upstream) {
  const UpstreamProtocol first = service_at(upstream, 0).protocol;
  const bool same = std::ranges::all_of(
      upstream.targets, [&](const PartyPtr& party) { return party->service->protocol == first; });
  return same ? first : UpstreamProtocol::Http1;
}

bool all_tls(const Upstream& upstream) {
  return std::ranges::all_of(upstream.targets, [&](const PartyPtr& party) {
    return encrypts(upstream.wire, upstream.port, *party->service);
  });
}

void speak(Cluster& cluster, const Upstream& upstream) {
  HttpProtocolOptions options;
  options.mutable_common_http_protocol_options()->mutable_idle_timeout()->set_seconds(idle_timeout);
  const UpstreamProtocol protocol = protocol_of(upstream);
  if (protocol == UpstreamProtocol::Http2) {
    options.mutable_explicit_http_config()->mutable_http2_protocol_options()->set_allow_connect(
        true);
  } else if (protocol == UpstreamProtocol::Auto && all_tls(upstream)) {
    options.mutable_auto_config()->mutable_http2_protocol_options()->set_allow_connect(true);
  } else {
    options.mutable_explicit_http_config()->mutable_http_protocol_options();
  }
  (*cluster.mutable_typed_extension_protocol_options())
      ["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"] = pack(options);
}

std::vector<Finding> findings_of(const Upstream& upstream) {
  std::vector<Finding> findings;
  if (upstream.targets.size() < 2) return findings;
  const auto differ = [&](auto member) {
    return std::ranges::any_of(upstream.targets, [&](const PartyPtr& party) {
      return member(*party->service) != member(service_at(upstream, 0));
    });
  };
  if (differ([](const Service& service) { return service.protocol; })) {
    findings.push_back(
        {upstream.origin, Condition::Warning,
         "The destinations speak different versions of HTTP; all are spoken to in HTTP/1.1"});
  }
  if (!probes_agree(upstream)) {
    findings.push_back(
        {upstream.origin, Condition::Warning,
         "The destinations ask for different health checks; all are checked by connecting"});
  }
  return findings;
}

// Readable in Envoy's statistics: the name instead of the id.
std::string statistics_name(const Upstream& upstream) {
  const std::string name = upstream.targets.size() == 1
                               ? service_at(upstream, 0).name
                               : "mapping-" + std::to_string(upstream.origin.id);
  const std::string_view wire = upstream.wire == Wire::AsConfigured ? ""
                                : upstream.wire == Wire::Secured    ? ".tls"
                                                                    : ".untouched";
  return name + "." + std::to_string(upstream.port) + std::string(wire);
}

std::vector<Object> origins_of(const Upstream& upstream) {
  std::vector<Object> origins{upstream.origin};
  if (upstream.targets.size() == 1) return origins;
  for (const PartyPtr& party : upstream.targets) origins.push_back(object_of(*party->service));
  return origins;
}

}  // namespace

UpstreamResources make_upstream(const Upstream& upstream, const Keyring& keyring) {
  ClusterLoadAssignment assignment = load_assignment(upstream);
  const auto& endpoints = assignment.endpoints(0).lb_endpoints();
  const bool literal = std::ranges::all_of(endpoints, [](const auto& endpoint) {
    return is_literal(endpoint.endpoint().address().socket_address().address());
  });
  Cluster cluster;
  cluster.set_name(upstream.name);
  cluster.set_alt_stat_name(statistics_name(upstream));
  set_limits(cluster);
  watch_for_outliers(cluster, endpoints.size());
  speak(cluster, upstream);
  set_probes(cluster, upstream);
  set_tls(cluster, upstream, keyring);
  UpstreamResources made{.findings = findings_of(upstream)};
  if (literal) {
    ask_for_endpoints(cluster);
    made.endpoints = make_resource(upstream.name, pack(assignment), origins_of(upstream));
  } else {
    resolve_names(cluster);
    *cluster.mutable_load_assignment() = std::move(assignment);
  }
  made.cluster = make_resource(upstream.name, pack(cluster), origins_of(upstream));
  return made;
}

}  // namespace mp::xds
