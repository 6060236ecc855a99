// Turns the guards of a route into what Envoy enforces: a token check (jwt_authn) and a decision
// (RBAC), both configured on the route itself, so that a rotated secret changes one route and no
// listener. Clients that get route configurations have the check in the listener, and its name on
// the route: Envoy before 1.40 takes none from a route. Used by route and listener. The result
// holds secrets: never log it.
#pragma once

#include "xds/route.hpp"
#include "xds/token.hpp"

#include "envoy/config/route/v3/route_components.pb.h"
#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb.h"

namespace mp::xds {

// The filters that the configuration below is for. On a route without any they do nothing.
void add_admission_filters(
    envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager&
        manager);

// The same where the listener checks tokens: `tokens` is an encoded set of checks, or empty.
void add_admission_filters(
    envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager&
        manager,
    const std::string& tokens);

// What tokens the route asks for; no parties: none.
TokenCheck token_check(const HttpRoute& route, const Logging& logging);

// Lets pass whom one of the claims' guards admits; nobody when they admit nobody. A claim of a
// mapping without ws admits to requests only, not to an upgrade that another claim on the route
// allows. Takes the credentials off the request: the service does not see them. Where decisions are
// logged they tell by what they were made.
void admit(envoy::config::route::v3::Route& target, const HttpRoute& route, const RouteForm& form);

}  // namespace mp::xds
