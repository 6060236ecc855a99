// Envoy's HTTP connection manager for one port, with the limits that a proxy at the edge needs.
// Used by listener.cpp.
#pragma once

#include "xds/listener.hpp"

#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb.h"

namespace mp::xds {

// For the requests in clear or for those within TLS; the port has some.
envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager
make_http_manager(const TcpPort& port, Security security, const Audience& audience);

}  // namespace mp::xds
