// Which form of its configuration a client is given, by what it says of itself. Used by session;
// pure.
#pragma once

#include "xds/discovery.hpp"
#include "xds/snapshot.hpp"

#include <string_view>

namespace mp::xds {

// How routes are given to a client that speaks `spoken` and says that it is of this version. Envoy
// before 1.38 never asks for the scoped routes of a listener that comes after its start
// (envoyproxy/envoy#43392), and before 1.40 refuses a check of tokens that stands on a route. They
// get route configurations in either variant of the protocol.
Flavour route_form(Flavour spoken, std::string_view version);

// Whether a client is gRPC, or another that calls services itself, and not a proxy: by its own word
// (proxy_type "grpc"), by its library's name, or because it begins with listeners by name, which no
// Envoy does.
bool is_proxyless(const Node& node, const Request& first);

}  // namespace mp::xds
