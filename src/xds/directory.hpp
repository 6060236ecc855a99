// The services of a cluster by id and by collection, and which of them changed since the last
// build. Used by build.cpp and intent. A Party keeps its address as long as nothing about it
// changes, so an address stands for content.
#pragma once

#include "base/time.hpp"
#include "xds/config.hpp"

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mp::xds {

// A service at one moment: whether its previous secret still counts is settled.
struct Party {
  std::shared_ptr<const Service> service;
  bool previous_counts = false;
};
using PartyPtr = std::shared_ptr<const Party>;
using Parties = std::vector<PartyPtr>;  // by service id, none twice

class Directory {
 public:
  struct Changes {
    std::set<std::int64_t> services;
    std::set<std::string, std::less<>> collections;
  };

  // Takes over the services as they are at `now`; says what is different from before.
  Changes update(const ClusterConfig& config, Time now);

  // The services that the references name, as far as they exist; `any` names none.
  Parties resolve(const std::vector<ServiceRef>& refs) const;

 private:
  using Services = Rows<Service, &Service::id>;
  void put(Changes& changes, const std::shared_ptr<const Service>& service, Time now);
  void drop(Changes& changes, const Service& service);
  void take_time(Changes& changes, Time now);

  Services services_;  // as they were last given
  std::unordered_map<std::int64_t, PartyPtr> parties_;
  std::map<std::string, std::map<std::int64_t, PartyPtr>, std::less<>> collections_;
  std::set<std::pair<Time, std::int64_t>> ends_;  // of previous secrets
  Time now_;
};

bool has_any(const std::vector<ServiceRef>& refs);

}  // namespace mp::xds
