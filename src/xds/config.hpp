// The intent of one cluster as the translation sees it: immutable rows, shared by pointer, so that
// an unchanged object is recognised by its address. xds/hub keeps it in step with the change log.
#pragma once

#include "model/certificate.hpp"
#include "model/cluster.hpp"
#include "model/issuer.hpp"
#include "model/mapping.hpp"
#include "model/service.hpp"
#include "xds/rows.hpp"

#include <memory>

namespace mp::xds {

struct ClusterConfig {
  std::int64_t revision = 0;  // of the change log
  std::shared_ptr<const Cluster> cluster;
  Rows<Service, &Service::id> services;
  Rows<Mapping, &Mapping::id> mappings;  // service refs are resolved
  // The cluster's own and those for all clusters, whatever the clock says of them.
  Rows<Certificate, &Certificate::id> certificates;
  // The authorities whose client certificates count, with their revocation lists. Without keys.
  Rows<Issuer, &Issuer::id> issuers;
};

using ClusterConfigPtr = std::shared_ptr<const ClusterConfig>;

}  // namespace mp::xds
