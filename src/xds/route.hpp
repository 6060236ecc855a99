// Routes: what a request to one domain meets, and the route configurations these are delivered in.
// Used by port.cpp.
#pragma once

#include "xds/build.hpp"
#include "xds/claims.hpp"
#include "xds/token.hpp"

#include <string>
#include <vector>

namespace mp::xds {

// One domain, ready to be put into a route configuration.
struct VirtualHost {
  std::string domain;
  std::string bytes;  // envoy.config.route.v3.VirtualHost
  std::vector<Object> origins;
  std::vector<TokenCheck> checks;  // that its routes name and the listener has to have
};

// What routes depend on besides their claims.
struct RouteForm {
  Flavour flavour = Flavour::Delta;
  Logging logging = {};
};

// A request that no path of `settlement` fits is answered 404, as one to an unknown domain is.
VirtualHost make_virtual_host(const std::string& domain, const HttpSettlement& settlement,
                              const RouteForm& form);

// Domains that names below or beside them can meet ("*.example.com", "*").
bool is_wildcard(std::string_view domain);

// The route configuration `routes` with all its domains, for state-of-the-world clients.
ResourcePtr make_routes(const std::string& routes, const std::vector<const VirtualHost*>& hosts);

// The scope of one exact domain; or, with "*" as domain, of all the wildcards of `routes`.
ResourcePtr make_scope(std::string_view routes, std::string_view domain,
                       const std::vector<const VirtualHost*>& hosts);

// "80", "443/tls": the routes of a port, in clear and within TLS.
std::string routes_name(int port, Security security);
// "80/api": the name of a scope.
std::string scope_name(std::string_view routes, std::string_view domain);

}  // namespace mp::xds
