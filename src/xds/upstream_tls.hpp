// TLS from the proxy to services. Used by upstream.cpp.
#pragma once

#include "xds/intent.hpp"

#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/endpoint/v3/endpoint_components.pb.h"

namespace mp::xds {

// Gives the cluster the transport of its services; in a pool each endpoint has that of its own
// service.
void set_tls(envoy::config::cluster::v3::Cluster& cluster, const Upstream& upstream);

// Marks an endpoint of a pool as one of `service`, for the transport to be found by.
void mark_tls(envoy::config::endpoint::v3::LbEndpoint& endpoint, const Service& service);

}  // namespace mp::xds
