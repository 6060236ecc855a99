// The intent of one cluster as the translation sees it: immutable rows, shared by pointer, so that
// an unchanged object is recognised by its address. xds/hub keeps it in step with the change log.
#pragma once

#include "model/certificate.hpp"
#include "model/cluster.hpp"
#include "model/issuer.hpp"
#include "model/mapping.hpp"
#include "model/service.hpp"

#include <memory>
#include <vector>

namespace mp::xds {

struct ClusterConfig {
  std::int64_t revision = 0;  // of the change log
  std::shared_ptr<const Cluster> cluster;
  std::vector<std::shared_ptr<const Service>> services;  // by id
  std::vector<std::shared_ptr<const Mapping>> mappings;  // by id; service refs are resolved
  // By id; the cluster's own and those for all clusters, whatever the clock says of them.
  std::vector<std::shared_ptr<const Certificate>> certificates;
  // By id; the authorities whose client certificates count, with their revocation lists. Without
  // keys.
  std::vector<std::shared_ptr<const Issuer>> issuers;
};

using ClusterConfigPtr = std::shared_ptr<const ClusterConfig>;

}  // namespace mp::xds
