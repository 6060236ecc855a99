// What one mapping asks for, spelled out: the domains, ports and pools it claims, and who may use
// them. A plan is a function of the mapping and of the parties it names, and knows nothing of other
// mappings; claims.hpp settles who gets what. Used by build.cpp.
#pragma once

#include "xds/guard.hpp"

#include <compare>
#include <memory>
#include <string>
#include <vector>

namespace mp::xds {

// Who goes first where two claim the same: the lower one.
struct Rank {
  int priority = 0;
  std::int64_t mapping = 0;
  std::int64_t service = 0;  // 0: all destinations of the mapping together
  auto operator<=>(const Rank&) const = default;
};

// Where traffic goes: one service, or all services of a mapping as one load-balanced pool.
struct Upstream {
  std::string name;  // of the Envoy cluster
  int port = 0;      // of the mapping
  Parties targets;
  Object origin;
};
using UpstreamPtr = std::shared_ptr<const Upstream>;

struct HttpClaim {
  Rank rank;
  int port = 0;
  std::string domain;  // lower case, without port: "api", "[::1]", "*.example.com", "*"
  std::shared_ptr<const Mapping> mapping;
  std::shared_ptr<const Guard> guard;
  UpstreamPtr upstream;
};

struct StreamClaim {
  Rank rank;
  int port = 0;
  Carrier carrier = Carrier::Tcp;
  std::shared_ptr<const Mapping> mapping;
  std::shared_ptr<const Guard> guard;
  UpstreamPtr upstream;
};

struct Plan {
  std::shared_ptr<const Mapping> mapping;
  std::vector<HttpClaim> http;
  std::vector<StreamClaim> streams;
  std::vector<UpstreamPtr> upstreams;
  std::vector<Finding> findings;
};
using PlanPtr = std::shared_ptr<const Plan>;

Object object_of(const Mapping& mapping);
Object object_of(const Service& service);

// The mapping lets websocket through (protocol ws).
bool allows_upgrade(const Mapping& mapping);

// The plan of an enabled mapping.
PlanPtr make_plan(const std::shared_ptr<const Mapping>& mapping, const Directory& directory);

}  // namespace mp::xds
