// What clients that call services without a proxy are given (gRPC's `xds:///<service>`; gRFC A27,
// A28, A37): for each service they may call a listener for a client (ApiListener) under the
// service's name, its routes, its cluster and its endpoints. Such a client stands before nobody who
// could hold it back, so that only what anybody may reach is in it: a service whose mappings ask
// for a proof is left out. Used by build.cpp. Not thread-safe: one owner each.
#pragma once

#include "base/time.hpp"
#include "xds/config.hpp"
#include "xds/directory.hpp"
#include "xds/shelf.hpp"
#include "xds/snapshot.hpp"

#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace mp::xds {

class ProxylessBuilder {
 public:
  SnapshotPtr build(const ClusterConfig& config, Time now);

 private:
  // How the mappings let clients call one service.
  struct Way {
    PartyPtr party;
    int port = 0;                    // of the first mapping
    std::set<std::string> prefixes;  // of the paths, "/" for all
    std::vector<std::string> obstacles;
    bool operator==(const Way&) const = default;
  };
  using Ways = std::map<std::int64_t, Way>;  // by service id

  Ways find_ways(const ClusterConfig& config, std::vector<Finding>& findings) const;
  static void check_addresses(Way& way);
  void add(Ways& ways, const Mapping& mapping) const;
  void make(const Way& way);
  void drop(const Way& way);

  Directory directory_;
  Ways ways_;
  std::array<Shelf, type_count> shelves_;
};

}  // namespace mp::xds
