// The types of Envoy's resources that are served, and their URLs. Header only: the fleet simulator
// has it without the library.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace mp::xds {

// In the order of the wire: what is added first stands first, removals go in reverse.
enum class Type : std::uint8_t { Cluster, Endpoint, Secret, Listener, Route, ScopedRoute };
inline constexpr std::size_t type_count = 6;
inline constexpr std::array all_types{Type::Cluster,  Type::Endpoint, Type::Secret,
                                      Type::Listener, Type::Route,    Type::ScopedRoute};

inline constexpr std::array<std::string_view, type_count> type_urls{
    "type.googleapis.com/envoy.config.cluster.v3.Cluster",
    "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
    "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
    "type.googleapis.com/envoy.config.listener.v3.Listener",
    "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
    "type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration",
};

constexpr std::string_view type_url(Type type) { return type_urls[static_cast<std::size_t>(type)]; }

// The type of a URL; none for one that is not served.
constexpr std::optional<Type> find_type(std::string_view url) {
  const auto found = std::ranges::find(type_urls, url);
  if (found == type_urls.end()) return std::nullopt;
  return static_cast<Type>(found - type_urls.begin());
}

}  // namespace mp::xds
