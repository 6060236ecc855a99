#include "xds/route.hpp"

#include "xds/admission.hpp"
#include "xds/encode.hpp"
#include "xds/scope.hpp"

#include "envoy/config/route/v3/route.pb.h"
#include "envoy/config/route/v3/scoped_route.pb.h"
#include "envoy/extensions/retry/host/previous_hosts/v3/previous_hosts.pb.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <set>

namespace mp::xds {
namespace {

namespace proto = envoy::config::route::v3;
using PreviousHosts = envoy::extensions::retry::host::previous_hosts::v3::PreviousHostsPredicate;

constexpr int stream_idle = 300;     // seconds; the listener's stream_idle_timeout
constexpr int upgraded_idle = 3600;  // websockets are silent for long
constexpr int most_picks = 5;        // of a host that was not tried yet

bool ends_open(const std::string& path) { return path.ends_with('/'); }

// What a request may take in time, and which failures are tried again: those of which the service
// saw nothing.
void set_limits(proto::RouteAction& action, const HttpRoute& route, bool upgrades) {
  const int timeout = route.first().mapping->timeout;
  action.mutable_timeout()->set_seconds(timeout);
  const int idle = std::max(timeout, upgrades ? upgraded_idle : stream_idle);
  if (idle > stream_idle) action.mutable_idle_timeout()->set_seconds(idle);
  auto& retry = *action.mutable_retry_policy();
  retry.set_retry_on("connect-failure,refused-stream,reset-before-request");
  retry.mutable_num_retries()->set_value(2);
  // Somewhere else: a name may have an address that is dead, and chance may pick it three times.
  auto& elsewhere = *retry.add_retry_host_predicate();
  elsewhere.set_name("envoy.retry_host_predicates.previous_hosts");
  *elsewhere.mutable_typed_config() = pack(PreviousHosts());
  retry.set_host_selection_retry_max_attempts(most_picks);
}

proto::Route make_route(const HttpRoute& route, const RouteForm& form) {
  proto::Route target;
  target.set_name(object_of(*route.first().mapping).name);
  auto& action = *target.mutable_route();
  action.set_cluster(route.first().upstream->name);
  const bool upgrades = std::ranges::any_of(
      route.claims, [](const HttpClaim* claim) { return allows_upgrade(*claim); });
  set_limits(action, route, upgrades);
  if (upgrades) {
    auto& upgrade = *action.add_upgrade_configs();
    upgrade.set_upgrade_type("websocket");
    upgrade.mutable_enabled()->set_value(true);
  }
  admit(target, route, form);
  return target;
}

// A prefix ends at a slash: "/api" is "/api" and all below, not "/apiary". Cutting it off leaves
// "/..." in every case, which needs a route each for "/api" and "/api/".
void add_routes(proto::VirtualHost& host, const HttpRoute& route, const RouteForm& form) {
  const Mapping& mapping = *route.first().mapping;
  const std::string& path = mapping.path_prefix;
  proto::Route target = make_route(route, form);
  if (!mapping.strip_prefix || path == "/") {
    if (ends_open(path)) {
      target.mutable_match()->set_prefix(path);
    } else {
      target.mutable_match()->set_path_separated_prefix(path);
    }
    *host.add_routes() = std::move(target);
    return;
  }
  target.mutable_route()->set_prefix_rewrite("/");
  target.mutable_match()->set_prefix(ends_open(path) ? path : path + "/");
  *host.add_routes() = target;
  if (ends_open(path)) return;
  target.mutable_match()->set_path(path);
  *host.add_routes() = std::move(target);
}

// Marks the routes, so that the filters of scope.cpp see that a scope was found, and ends them with
// one that is always found: Envoy, too, takes the best domain and then looks no further.
void mark_scope(proto::VirtualHost& host) {
  const bool complete = !host.routes().empty() && host.routes().rbegin()->match().prefix() == "/";
  if (!complete) {
    auto& none = *host.add_routes();
    none.set_name("none");
    none.mutable_match()->set_prefix("/");
    none.mutable_direct_response()->set_status(404);
  }
  google::protobuf::Struct found;
  (*found.mutable_fields())["scope"].set_bool_value(true);
  for (proto::Route& route : *host.mutable_routes()) {
    (*route.mutable_metadata()->mutable_filter_metadata())[std::string(scope_metadata)] = found;
  }
}

// A route configuration is written by hand around virtual hosts that are bytes already: thousands
// of them are joined by copying.
std::string assemble(const std::string& name, const std::vector<const VirtualHost*>& hosts) {
  proto::RouteConfiguration routes;
  routes.set_name(name);
  routes.set_ignore_port_in_host_matching(true);
  routes.add_request_headers_to_remove(std::string(scope_header));
  routes.add_request_headers_to_remove("x-envoy-external-address");
  std::string bytes = deterministic(routes);
  google::protobuf::io::StringOutputStream target(&bytes);
  google::protobuf::io::CodedOutputStream stream(&target);
  constexpr auto tag = (proto::RouteConfiguration::kVirtualHostsFieldNumber << 3) | 2;
  for (const VirtualHost* host : hosts) {
    stream.WriteTag(tag);
    stream.WriteVarint32(static_cast<std::uint32_t>(host->bytes.size()));
    stream.WriteString(host->bytes);
  }
  stream.Trim();
  return bytes;
}

std::vector<Object> origins_of(const std::vector<const VirtualHost*>& hosts) {
  std::vector<Object> origins;
  std::set<Object> seen;
  for (const VirtualHost* host : hosts) {
    for (const Object& origin : host->origins) {
      if (seen.insert(origin).second) origins.push_back(origin);
    }
  }
  return origins;
}

}  // namespace

VirtualHost make_virtual_host(const std::string& domain, const HttpSettlement& settlement,
                              const RouteForm& form) {
  proto::VirtualHost host;
  host.set_name(domain);
  host.add_domains(domain);
  VirtualHost made{.domain = domain};
  for (const HttpRoute& route : settlement.routes) {
    add_routes(host, route, form);
    if (form.flavour != Flavour::Delta) {
      TokenCheck check = token_check(route, form.logging);
      if (!check.parties.empty()) made.checks.push_back(std::move(check));
    }
    for (const HttpClaim* claim : route.claims) made.origins.push_back(object_of(*claim->mapping));
  }
  if (form.flavour == Flavour::Delta) mark_scope(host);
  made.bytes = deterministic(host);
  return made;
}

bool is_wildcard(std::string_view domain) { return domain.starts_with('*'); }

ResourcePtr make_routes(const std::string& routes, const std::vector<const VirtualHost*>& hosts) {
  return make_resource(routes, pack(type_url(Type::Route), assemble(routes, hosts)),
                       origins_of(hosts));
}

ResourcePtr make_scope(std::string_view routes, std::string_view domain,
                       const std::vector<const VirtualHost*>& hosts) {
  const std::string name = scope_name(routes, domain);
  proto::ScopedRouteConfiguration scope;
  scope.set_name(name);
  scope.mutable_key()->add_fragments()->set_string_key(scope_key(routes, domain));
  std::string bytes = deterministic(scope);
  google::protobuf::io::StringOutputStream target(&bytes);
  google::protobuf::io::CodedOutputStream stream(&target);
  const std::string configuration = assemble(name, hosts);
  stream.WriteTag((proto::ScopedRouteConfiguration::kRouteConfigurationFieldNumber << 3) | 2);
  stream.WriteVarint32(static_cast<std::uint32_t>(configuration.size()));
  stream.WriteString(configuration);
  stream.Trim();
  return make_resource(name, pack(type_url(Type::ScopedRoute), std::move(bytes)),
                       origins_of(hosts));
}

std::string routes_name(int port, Security security) {
  return std::to_string(port) + (security == Security::Tls ? "/tls" : "");
}

std::string scope_name(std::string_view routes, std::string_view domain) {
  return std::string(routes) + "/" + std::string(domain);
}

}  // namespace mp::xds
