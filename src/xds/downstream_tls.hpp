// TLS from callers, ended at the proxy: which certificate it presents, and which client
// certificates it asks for. Used by listener.cpp. Holds no key: certificates come by SDS.
#pragma once

#include "envoy/config/listener/v3/listener_components.pb.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mp::xds {

// HTTP/2 or HTTP/1.1, as the caller prefers.
void end_tls(envoy::config::listener::v3::FilterChain& chain, std::int64_t certificate);

// Any protocol inside; the caller's certificate is one that the manager's authority issued for one
// of these SPIFFE IDs and has not revoked. `callers` is not empty.
void end_mutual_tls(envoy::config::listener::v3::FilterChain& chain, std::int64_t certificate,
                    const std::vector<std::string>& callers);

}  // namespace mp::xds
