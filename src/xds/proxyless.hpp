// What clients that call services without a proxy are given (gRPC's `xds:///<service>`; gRFC A27,
// A28, A37): for each service they may call a listener for a client (ApiListener) under the
// service's name, its routes, its cluster and its endpoints. Such a client stands before nobody who
// could hold it back, so that only what anybody may reach is in it: a service whose mappings ask
// for a proof is left out. Remakes what an edit touches. Used by build.cpp. Not thread-safe: one
// owner each.
#pragma once

#include "base/time.hpp"
#include "xds/config.hpp"
#include "xds/dependents.hpp"
#include "xds/directory.hpp"
#include "xds/shelf.hpp"
#include "xds/snapshot.hpp"
#include "xds/tally.hpp"

#include <array>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mp::xds {

class ProxylessBuilder {
 public:
  SnapshotPtr build(const ClusterConfig& config, Time now);

 private:
  // What one mapping says about one of its services: how it may be called, or what hinders that.
  struct Offer {
    PartyPtr party;
    int port = 0;
    std::string prefix;  // of the path, "/" for all
    std::string obstacle{};
  };
  using Offers = std::map<std::pair<int, std::int64_t>, Offer>;  // by priority and mapping id
  // How all mappings together let clients call one service.
  struct Way {
    PartyPtr party;
    int port = 0;                    // of the first mapping
    std::set<std::string> prefixes;  // empty: it is not given
    std::vector<std::string> obstacles;
    bool operator==(const Way&) const = default;
  };
  struct State {
    Way way;
    std::vector<Finding> findings;
  };
  using Mappings = Rows<Mapping, &Mapping::id>;
  using Ids = std::set<std::int64_t>;

  Ids take(const ClusterConfig& config, Time now);
  void withdraw(std::int64_t mapping, Ids& services);
  void offer(const std::shared_ptr<const Mapping>& mapping, Ids& services);
  Offer offer_of(const Mapping& mapping, const Parties& sources, const PartyPtr& target) const;
  Way way_to(std::int64_t service) const;
  static std::vector<Finding> findings_of(const Way& way);
  void remake(const Ids& services);
  void make(const Way& way);
  void drop(const Way& way);

  Directory directory_;
  Mappings mappings_;  // as they were last given
  Dependents dependents_;
  std::unordered_map<std::int64_t, Ids> services_;   // by mapping: those it has an offer for
  std::unordered_map<std::int64_t, Offers> offers_;  // by service
  std::unordered_map<std::int64_t, State> states_;   // by service
  Tally findings_;
  std::array<Shelf, type_count> shelves_;
};

}  // namespace mp::xds
