#include "xds/facts.hpp"

#include "xds/rules.hpp"

#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/endpoint/v3/endpoint.pb.h"
#include "envoy/config/listener/v3/listener.pb.h"
#include "envoy/config/route/v3/route.pb.h"
#include "envoy/config/route/v3/scoped_route.pb.h"
#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb.h"
#include "envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.pb.h"
#include "envoy/extensions/filters/udp/udp_proxy/v3/route.pb.h"
#include "envoy/extensions/transport_sockets/tls/v3/secret.pb.h"
#include "envoy/extensions/transport_sockets/tls/v3/tls.pb.h"

#include <google/protobuf/any.pb.h>

#include <algorithm>
#include <set>

namespace mp::xds {
namespace {

using envoy::config::cluster::v3::Cluster;
using envoy::config::endpoint::v3::ClusterLoadAssignment;
using envoy::config::listener::v3::FilterChainMatch;
using envoy::config::listener::v3::Listener;
using envoy::config::route::v3::RouteAction;
using envoy::config::route::v3::RouteConfiguration;
using envoy::config::route::v3::ScopedRouteConfiguration;
using envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;
using envoy::extensions::filters::network::http_connection_manager::v3::Rds;
using envoy::extensions::filters::network::tcp_proxy::v3::TcpProxy;
using envoy::extensions::transport_sockets::tls::v3::SdsSecretConfig;
using envoy::extensions::transport_sockets::tls::v3::Secret;
using google::protobuf::Message;
using UdpRoute = envoy::extensions::filters::udp::udp_proxy::v3::Route;

// The name that Envoy knows the message by, or empty for a message that is no resource.
std::string name_of(const Message& message) {
  if (const auto* cluster = dynamic_cast<const Cluster*>(&message)) return cluster->name();
  if (const auto* endpoints = dynamic_cast<const ClusterLoadAssignment*>(&message))
    return endpoints->cluster_name();
  if (const auto* secret = dynamic_cast<const Secret*>(&message)) return secret->name();
  if (const auto* listener = dynamic_cast<const Listener*>(&message)) return listener->name();
  if (const auto* routes = dynamic_cast<const RouteConfiguration*>(&message)) return routes->name();
  if (const auto* scope = dynamic_cast<const ScopedRouteConfiguration*>(&message))
    return scope->name();
  return "";
}

// What Envoy refuses although no rule of the definitions says so.
class Traps {
 public:
  explicit Traps(ResourceFacts& facts) : facts_(facts) {}

  void visit(const Message& message) {
    if (const auto* cluster = dynamic_cast<const Cluster*>(&message)) {
      if (cluster->type() == Cluster::EDS && !cluster->has_cluster_type())
        need(Type::Endpoint, cluster->name());
    } else if (const auto* listener = dynamic_cast<const Listener*>(&message)) {
      check(*listener);
    } else if (const auto* routes = dynamic_cast<const RouteConfiguration*>(&message)) {
      check(*routes);
    } else if (const auto* action = dynamic_cast<const RouteAction*>(&message)) {
      need(Type::Cluster, action->cluster());
    } else if (const auto* proxy = dynamic_cast<const TcpProxy*>(&message)) {
      need(Type::Cluster, proxy->cluster());
    } else if (const auto* udp = dynamic_cast<const UdpRoute*>(&message)) {
      need(Type::Cluster, udp->cluster());
    } else if (const auto* source = dynamic_cast<const Rds*>(&message)) {
      need(Type::Route, source->route_config_name());
    } else if (const auto* secret = dynamic_cast<const SdsSecretConfig*>(&message)) {
      need(Type::Secret, secret->name());
    } else if (const auto* scope = dynamic_cast<const ScopedRouteConfiguration*>(&message)) {
      for (const auto& fragment : scope->key().fragments())
        facts_.scope_key += '"' + fragment.string_key() + '"';
    } else if (const auto* manager = dynamic_cast<const HttpConnectionManager*>(&message)) {
      check(*manager);
    }
  }

 private:
  void need(Type type, const std::string& name) {
    const std::pair<Type, std::string> one(type, name);
    if (std::ranges::find(facts_.needs, one) == facts_.needs.end()) facts_.needs.push_back(one);
  }

  void check(const Listener& listener) {
    const bool udp = listener.has_udp_listener_config();
    const bool api = listener.has_api_listener();
    if (!udp && !api && listener.filter_chains().empty() && !listener.has_default_filter_chain()) {
      facts_.breaches.push_back("no filter chains");
    }
    std::set<std::string> matches;
    for (const auto& chain : listener.filter_chains()) {
      if (!insert(matches, chain.filter_chain_match()))
        facts_.breaches.push_back("two filter chains have the same match");
    }
    check_names(listener);
  }

  // Envoy compares the matches spelled out: each name with each protocol and each source.
  static bool insert(std::set<std::string>& matches, const FilterChainMatch& match) {
    FilterChainMatch one = match;
    one.clear_server_names();
    one.clear_application_protocols();
    one.clear_source_prefix_ranges();
    const std::string rest = one.SerializeAsString();
    bool fresh = true;
    for (int name = 0; name < std::max(1, match.server_names_size()); ++name) {
      for (int protocol = 0; protocol < std::max(1, match.application_protocols_size());
           ++protocol) {
        for (int source = 0; source < std::max(1, match.source_prefix_ranges_size()); ++source) {
          std::string key = rest + '\n';
          if (match.server_names_size()) key += match.server_names(name);
          key += '\n';
          if (match.application_protocols_size()) key += match.application_protocols(protocol);
          key += '\n';
          if (match.source_prefix_ranges_size())
            key += match.source_prefix_ranges(source).SerializeAsString();
          fresh = matches.insert(std::move(key)).second && fresh;
        }
      }
    }
    return fresh;
  }

  // A name is known only when the inspector has read it, and has no star but a leading one.
  void check_names(const Listener& listener) {
    const bool inspected = std::ranges::any_of(listener.listener_filters(), [](const auto& filter) {
      return filter.name() == "envoy.filters.listener.tls_inspector";
    });
    for (const auto& chain : listener.filter_chains()) {
      const FilterChainMatch& match = chain.filter_chain_match();
      if (!inspected && (match.server_names_size() || !match.transport_protocol().empty()))
        facts_.breaches.push_back("a filter chain asks for TLS that no inspector looks for");
      for (const std::string& name : match.server_names()) {
        if (name.find('*', name.starts_with("*.") ? 1 : 0) != std::string::npos)
          facts_.breaches.push_back("server name " + name + " has a star where none can be");
      }
    }
  }

  void check(const RouteConfiguration& routes) {
    std::set<std::string> domains;
    for (const auto& host : routes.virtual_hosts()) {
      for (const std::string& domain : host.domains()) {
        if (!domains.insert(domain).second)
          facts_.breaches.push_back("domain " + domain + " stands twice");
      }
    }
  }

  void check(const HttpConnectionManager& manager) {
    const auto& filters = manager.http_filters();
    if (filters.empty() || filters.rbegin()->name() != "envoy.filters.http.router") {
      facts_.breaches.push_back("the router is not the last HTTP filter");
    }
  }

  ResourceFacts& facts_;
};

}  // namespace

ResourceFacts facts_of(Type type, const Resource& resource) {
  ResourceFacts facts;
  google::protobuf::Any any;
  if (!any.ParseFromString(resource.body) || any.type_url() != type_url(type)) {
    facts.breaches.push_back("is not of its type");
    return facts;
  }
  Traps traps(facts);
  RuleCheck check;
  check.visit = [&](const Message& message) {
    traps.visit(message);
    const bool top = message.GetDescriptor()->full_name() ==
                     any.type_url().substr(any.type_url().rfind('/') + 1);
    if (top && type != Type::ScopedRoute && name_of(message) != resource.name)
      facts.breaches.push_back("has another name");
  };
  check_rules(any, check);
  facts.breaches.insert(facts.breaches.end(), check.breaches.begin(), check.breaches.end());
  return facts;
}

}  // namespace mp::xds
