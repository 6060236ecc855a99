// How a request finds the routes of its Host without the listener knowing any host: scoped routes
// keyed on a header that the proxy itself sets, "<routes>|<host>". Used by listener and route. See
// docs/data-plane.md, "Hosts", for why. Knows nothing of mappings.
#pragma once

#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb.h"

#include <string>
#include <string_view>

namespace mp::xds {

// The header that carries the key inside the proxy; what a client sends in it is overwritten, and
// it is taken off before a service sees the request.
inline constexpr std::string_view scope_header = "x-marchproxy-scope";

// Routes carry this metadata, so that the filters below can tell that the key was found.
inline constexpr std::string_view scope_metadata = "envoy.filters.http.lua";

// The key of one exact host of `routes` ("80", "443/tls"), or of everything else with the domain
// "*".
std::string scope_key(std::string_view routes, std::string_view domain);

// Takes routes by scope: sets the key from the Host of each request before anything else looks at
// it, brings it to lower case and without port where that did not match, and falls back to "*".
void route_by_scope(
    envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager&
        manager,
    const std::string& routes);

}  // namespace mp::xds
