// TLS from the proxy to services. Used by upstream.cpp.
#pragma once

#include "xds/intent.hpp"

#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/endpoint/v3/endpoint_components.pb.h"

namespace mp::xds {

// Whether the proxy speaks TLS to this service. Behind TLS that the proxy ends it does not go on in
// clear to a port that is the mapping's own, or where the service's `tls` says anything at all.
bool encrypts(Wire wire, int mapped_port, const Service& service);

// `wanted`, or AsConfigured where that is the same for these services.
Wire wire_of(const Parties& targets, int mapped_port, Wire wanted);

// Gives the cluster the transport of its services; in a pool each endpoint has that of its own
// service. Where a service's certificate is to come from the manager's own authority, revoked ones
// are refused.
void set_tls(envoy::config::cluster::v3::Cluster& cluster, const Upstream& upstream,
             const Keyring& keyring);

// Whether set_tls() makes use of the secret with the authorities.
bool trusts_authority(const Upstream& upstream, const Keyring& keyring);

// Marks an endpoint of a pool as one of `service`, for the transport to be found by.
void mark_tls(envoy::config::endpoint::v3::LbEndpoint& endpoint, const Upstream& upstream,
              const Service& service);

}  // namespace mp::xds
