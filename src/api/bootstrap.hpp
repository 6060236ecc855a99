// Envoy's bootstrap for a registered proxy, and a gRPC client's (gRFC A27), complete, so that
// nobody writes one by hand.
#pragma once

#include "api/endpoint.hpp"
#include "model/enrolment.hpp"

#include <string>

namespace mp::api {

// In the certificate of the xDS port, whatever name or address a proxy reaches it by.
inline constexpr std::string_view xds_server_name = "xds.marchproxy.internal";

// host:port of the xDS server as proxies reach it: the first of the setting xds.advertise, else the
// host that this request came to with the xDS port.
std::string xds_address(const Call& call);

// `key` is the cluster key that the proxy will present. Same arguments, same text.
Document bootstrap_document(const Call& call, const Proxy& proxy, std::string_view key,
                            const BootstrapQuery& query);

// For clients that call services without a proxy. They have no way to send the key but in the node.
Document grpc_bootstrap_document(const Call& call, std::string_view key,
                                 const GrpcBootstrapQuery& query);

}  // namespace mp::api
