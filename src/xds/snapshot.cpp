#include "xds/snapshot.hpp"

#include <algorithm>

namespace mp::xds {
namespace {

constexpr std::array<std::string_view, type_count> urls{
    "type.googleapis.com/envoy.config.cluster.v3.Cluster",
    "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
    "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
    "type.googleapis.com/envoy.config.listener.v3.Listener",
    "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
    "type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration",
};

}  // namespace

std::string_view type_url(Type type) { return urls[static_cast<std::size_t>(type)]; }

bool find_type(std::string_view url, Type& type) {
  const auto found = std::ranges::find(urls, url);
  if (found == urls.end()) return false;
  type = static_cast<Type>(found - urls.begin());
  return true;
}

ResourcePtr find_resource(const Catalogue& resources, std::string_view name) {
  return resources.find(name);
}

}  // namespace mp::xds
