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

ProxylessBuilder::Offer ProxylessBuilder::offer_of(const Mapping& mapping, const Parties& sources,
                                                   const PartyPtr& target) const {
  const Service& service = *target->service;
  const bool in_clear = speaks(mapping, Protocol::Http);
  Offer offer{.party = target, .port = all_ports(mapping).front(), .prefix = mapping.path_prefix};
  const auto hinder = [&](const std::string& why) {
    offer.obstacle = why + " (mapping " + std::to_string(mapping.id) + ")";
  };
  if (!judge(mapping, sources, {target}, Carrier::Http).guard.open()) {
    hinder("not everybody may call it");
  } else if (encrypts(in_clear ? Wire::AsConfigured : Wire::Secured, offer.port, service)) {
    hinder("it is called within TLS, which only proxies are set up for");
  } else if (mapping.strip_prefix && mapping.path_prefix != "/") {
    hinder("a part of the path is cut off");
  }
  return offer;
}

void ProxylessBuilder::withdraw(std::int64_t mapping, Ids& services) {
  const auto known = services_.find(mapping);
  if (known == services_.end()) return;
  for (const std::int64_t service : known->second) {
    const auto offers = offers_.find(service);
    std::erase_if(offers->second, [&](const auto& each) { return each.first.second == mapping; });
    if (offers->second.empty()) offers_.erase(offers);
  }
  services.merge(known->second);
  services_.erase(known);
}

void ProxylessBuilder::offer(const std::shared_ptr<const Mapping>& mapping, Ids& services) {
  const bool http = speaks(*mapping, Protocol::Http) || speaks(*mapping, Protocol::Https);
  if (!mapping->enabled || !http) return;
  const Parties sources = directory_.resolve(mapping->source_services);
  if (sources.empty() && !has_any(mapping->source_services)) return;
  for (const PartyPtr& target : directory_.resolve(mapping->dest_services)) {
    const std::int64_t service = target->service->id;
    offers_[service][{mapping->priority, mapping->id}] = offer_of(*mapping, sources, target);
    services_[mapping->id].insert(service);
    services.insert(service);
  }
}

// Brings the offers up to date; the services whose offers may be others.
ProxylessBuilder::Ids ProxylessBuilder::take(const ClusterConfig& config, Time now) {
  const Directory::Changes changes = directory_.update(config, now);
  Ids concerned = dependents_.of(changes, {}), services;
  for (const auto& [before, after] : Mappings::difference(mappings_, config.mappings)) {
    if (before) dependents_.remove({.mapping = before});
    if (after) dependents_.add({.mapping = after});
    concerned.insert((before ? before : after)->id);
  }
  mappings_ = config.mappings;
  for (const std::int64_t id : concerned) withdraw(id, services);
  for (const std::int64_t id : concerned) {
    if (const auto mapping = mappings_.find(id)) offer(mapping, services);
  }
  return services;
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

ProxylessBuilder::Way ProxylessBuilder::way_to(std::int64_t service) const {
  Way way;
  const auto offers = offers_.find(service);
  if (offers == offers_.end()) return way;
  for (const auto& [rank, offer] : offers->second) {
    way.party = offer.party;
    if (!offer.obstacle.empty()) {
      way.obstacles.push_back(offer.obstacle);
      continue;
    }
    if (way.prefixes.empty()) way.port = offer.port;
    way.prefixes.insert(offer.prefix);
  }
  // gRPC resolves one name a cluster (gRFC A37).
  const auto targets = targets_of(*way.party->service, way.port);
  if (all_literal(targets) || targets.size() == 1) return way;
  way.prefixes.clear();
  way.obstacles.emplace_back("it has several addresses of which some are names");
  return way;
}

std::vector<Finding> ProxylessBuilder::findings_of(const Way& way) {
  std::vector<Finding> findings;
  if (!way.party || !way.prefixes.empty()) return findings;
  const Service& service = *way.party->service;
  if (service.protocol != UpstreamProtocol::Http2) return findings;  // gRPC has no use for it
  for (const std::string& obstacle : way.obstacles) {
    findings.push_back({object_of(service), Condition::Warning,
                        "Clients without a proxy are not given it: " + obstacle});
  }
  return findings;
}

// What is gone leaves before what is new comes: a name may pass from one service to another.
void ProxylessBuilder::remake(const Ids& services) {
  std::vector<std::int64_t> fresh;
  for (const std::int64_t service : services) {
    State& state = states_[service];
    const Way before = std::exchange(state.way, way_to(service));
    const Way& after = state.way;
    auto findings = findings_of(after);
    findings_.replace(state.findings, findings);
    state.findings = std::move(findings);
    const bool was = !before.prefixes.empty(), is = !after.prefixes.empty();
    if (was && (!is || before.party->service->name != after.party->service->name)) drop(before);
    if (is && before != after) fresh.push_back(service);
    if (!after.party) states_.erase(service);
  }
  for (const std::int64_t service : fresh) make(states_.at(service).way);
}

SnapshotPtr ProxylessBuilder::build(const ClusterConfig& config, Time now) {
  remake(take(config, now));
  Snapshot snapshot{.revision = config.revision, .findings = findings_.sorted()};
  for (std::size_t type = 0; type < type_count; ++type) {
    snapshot.types[type] = shelves_[type].settle();
    snapshot.censuses[type] = shelves_[type].census();
  }
  return std::make_shared<const Snapshot>(std::move(snapshot));
}

}  // namespace mp::xds
