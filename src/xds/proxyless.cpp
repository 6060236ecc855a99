#include "xds/proxyless.hpp"

#include "xds/address.hpp"
#include "xds/encode.hpp"
#include "xds/guard.hpp"
#include "xds/intent.hpp"
#include "xds/upstream_tls.hpp"

#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/endpoint/v3/endpoint.pb.h"
#include "envoy/config/listener/v3/listener.pb.h"
#include "envoy/config/route/v3/route.pb.h"
#include "envoy/extensions/filters/http/router/v3/router.pb.h"
#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb.h"

#include <algorithm>

namespace mp::xds {
namespace {

using envoy::config::cluster::v3::Cluster;
using envoy::config::core::v3::ApiVersion;
using envoy::config::core::v3::ConfigSource;
using envoy::config::endpoint::v3::ClusterLoadAssignment;
using envoy::config::listener::v3::Listener;
using envoy::config::route::v3::RouteConfiguration;
using envoy::extensions::filters::http::router::v3::Router;
using envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;

bool speaks(const Mapping& mapping, Protocol protocol) {
  return std::ranges::find(mapping.protocols, protocol) != mapping.protocols.end();
}

void use_this_stream(ConfigSource& source) {
  source.mutable_ads();
  source.set_resource_api_version(ApiVersion::V3);
}

std::string resource_name(const Service& service) {
  return "service/" + std::to_string(service.id);
}

Listener make_listener(const Service& service) {
  HttpConnectionManager manager;
  manager.set_stat_prefix(service.name);
  manager.mutable_rds()->set_route_config_name(resource_name(service));
  use_this_stream(*manager.mutable_rds()->mutable_config_source());
  auto& router = *manager.add_http_filters();
  router.set_name("envoy.filters.http.router");
  *router.mutable_typed_config() = pack(Router());
  Listener listener;
  listener.set_name(service.name);
  *listener.mutable_api_listener()->mutable_api_listener() = pack(manager);
  return listener;
}

// The client has chosen the service by the listener's name, so that any host is meant.
RouteConfiguration make_routes(const Service& service, const std::set<std::string>& prefixes) {
  RouteConfiguration routes;
  routes.set_name(resource_name(service));
  auto& host = *routes.add_virtual_hosts();
  host.set_name(service.name);
  host.add_domains("*");
  for (auto prefix = prefixes.rbegin(); prefix != prefixes.rend(); ++prefix) {
    auto& route = *host.add_routes();
    route.mutable_match()->set_prefix(prefix->ends_with('/') ? *prefix : *prefix + "/");
    route.mutable_route()->set_cluster(resource_name(service));
  }
  return routes;
}

ClusterLoadAssignment make_assignment(const std::string& name, const std::vector<Target>& targets) {
  ClusterLoadAssignment assignment;
  assignment.set_cluster_name(name);
  auto& locality = *assignment.add_endpoints();
  locality.mutable_locality()->set_sub_zone(name);
  locality.mutable_load_balancing_weight()->set_value(1);  // gRPC ignores a locality without
  for (const Target& target : targets) {
    auto& endpoint = *locality.add_lb_endpoints();
    endpoint.mutable_load_balancing_weight()->set_value(target.weight);
    auto& address = *endpoint.mutable_endpoint()->mutable_address()->mutable_socket_address();
    address.set_address(target.host);
    address.set_port_value(static_cast<unsigned>(target.port));
  }
  return assignment;
}

bool all_literal(const std::vector<Target>& targets) {
  return std::ranges::all_of(targets, [](const Target& target) { return is_literal(target.host); });
}

Cluster make_cluster(const std::string& name, const std::vector<Target>& targets) {
  Cluster cluster;
  cluster.set_name(name);
  cluster.set_lb_policy(Cluster::ROUND_ROBIN);
  if (all_literal(targets)) {
    cluster.set_type(Cluster::EDS);
    use_this_stream(*cluster.mutable_eds_cluster_config()->mutable_eds_config());
  } else {
    cluster.set_type(Cluster::LOGICAL_DNS);
    *cluster.mutable_load_assignment() = make_assignment(name, targets);
  }
  return cluster;
}

}  // namespace

// What one mapping says about each of its services.
void ProxylessBuilder::add(Ways& ways, const Mapping& mapping) const {
  const bool https = speaks(mapping, Protocol::Https);
  if (!mapping.enabled || (!https && !speaks(mapping, Protocol::Http))) return;
  const Parties sources = directory_.resolve(mapping.source_services);
  if (sources.empty() && !has_any(mapping.source_services)) return;
  const int port = all_ports(mapping).front();
  for (const PartyPtr& target : directory_.resolve(mapping.dest_services)) {
    const Service& service = *target->service;
    Way& way = ways[service.id];
    way.party = target;
    const std::string by = " (mapping " + std::to_string(mapping.id) + ")";
    const auto hinder = [&](const std::string& why) { way.obstacles.push_back(why + by); };
    const Wire wire =
        https && !speaks(mapping, Protocol::Http) ? Wire::Secured : Wire::AsConfigured;
    if (!judge(mapping, sources, {target}, Carrier::Http).guard.open()) {
      hinder("not everybody may call it");
    } else if (encrypts(wire, port, service)) {
      hinder("it is called within TLS, which only proxies are set up for");
    } else if (mapping.strip_prefix && mapping.path_prefix != "/") {
      hinder("a part of the path is cut off");
    } else {
      if (way.prefixes.empty()) way.port = port;
      way.prefixes.insert(mapping.path_prefix);
    }
  }
}

void ProxylessBuilder::make(const Way& way) {
  const Service& service = *way.party->service;
  const std::string name = resource_name(service);
  const std::vector<Object> origins{object_of(service)};
  const std::vector<Target> targets = targets_of(service, way.port);
  const auto put = [&](Type type, const std::string& known_as, ResourcePtr resource) {
    Shelf& shelf = shelves_[static_cast<std::size_t>(type)];
    if (resource) resource = keep_equal(shelf.find(known_as), std::move(resource));
    shelf.put(known_as, std::move(resource));
  };
  put(Type::Listener, service.name,
      make_resource(service.name, pack(make_listener(service)), origins));
  put(Type::Route, name, make_resource(name, pack(make_routes(service, way.prefixes)), origins));
  put(Type::Cluster, name, make_resource(name, pack(make_cluster(name, targets)), origins));
  put(Type::Endpoint, name,
      all_literal(targets) ? make_resource(name, pack(make_assignment(name, targets)), origins)
                           : nullptr);
}

void ProxylessBuilder::drop(const Way& way) {
  const Service& service = *way.party->service;
  shelves_[static_cast<std::size_t>(Type::Listener)].put(service.name, nullptr);
  for (const Type type : {Type::Route, Type::Cluster, Type::Endpoint})
    shelves_[static_cast<std::size_t>(type)].put(resource_name(service), nullptr);
}

// gRPC resolves one name a cluster (gRFC A37).
void ProxylessBuilder::check_addresses(Way& way) {
  const auto targets = targets_of(*way.party->service, way.port);
  if (all_literal(targets) || targets.size() == 1) return;
  way.prefixes.clear();
  way.obstacles.emplace_back("it has several addresses of which some are names");
}

ProxylessBuilder::Ways ProxylessBuilder::find_ways(const ClusterConfig& config,
                                                   std::vector<Finding>& findings) const {
  std::vector<const Mapping*> mappings;
  for (const auto& mapping : config.mappings) mappings.push_back(mapping.get());
  std::ranges::stable_sort(mappings, {}, [](const Mapping* each) { return each->priority; });
  Ways ways;
  for (const Mapping* mapping : mappings) add(ways, *mapping);
  for (auto& [id, way] : ways) check_addresses(way);
  std::erase_if(ways, [&](const auto& entry) {
    const Way& way = entry.second;
    if (!way.prefixes.empty()) return false;
    const Service& service = *way.party->service;
    if (service.protocol != UpstreamProtocol::Http2) return true;  // gRPC has no use for it
    for (const std::string& obstacle : way.obstacles) {
      findings.push_back({object_of(service), Condition::Warning,
                          "Clients without a proxy are not given it: " + obstacle});
    }
    return true;
  });
  std::ranges::sort(findings);
  return ways;
}

SnapshotPtr ProxylessBuilder::build(const ClusterConfig& config, Time now) {
  directory_.update(config, now);
  Snapshot snapshot{.revision = config.revision};
  Ways next = find_ways(config, snapshot.findings);
  for (const auto& [id, way] : ways_) {
    const auto same = next.find(id);
    if (same == next.end() || same->second.party->service->name != way.party->service->name)
      drop(way);
  }
  for (const auto& [id, way] : next) {
    const auto before = ways_.find(id);
    if (before == ways_.end() || !(before->second == way)) make(way);
  }
  ways_ = std::move(next);
  for (std::size_t type = 0; type < type_count; ++type)
    snapshot.types[type] = shelves_[type].settle();
  return std::make_shared<const Snapshot>(std::move(snapshot));
}

}  // namespace mp::xds
