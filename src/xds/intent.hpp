// What one mapping asks for, spelled out: the domains, names, ports and pools it claims, and who
// may use them. A plan is a function of the mapping, of the parties it names and of the
// certificates for its names, and knows nothing of other mappings; claims.hpp settles who gets
// what. Used by build.cpp.
#pragma once

#include "xds/guard.hpp"
#include "xds/keyring.hpp"

#include <compare>
#include <memory>
#include <optional>
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

// What proxies speak to services: what each service's `tls` says; TLS also where the port of an
// https mapping is the service's own; or the bytes of the caller, whatever `tls` says.
enum class Wire { AsConfigured, Secured, Untouched };

// Where traffic goes: one service, or all services of a mapping as one load-balanced pool.
struct Upstream {
  std::string name;  // of the Envoy cluster
  int port = 0;      // of the mapping
  Wire wire = Wire::AsConfigured;
  Parties targets;
  Object origin;
};
using UpstreamPtr = std::shared_ptr<const Upstream>;

// Whether requests come in clear or within TLS that the proxy ends.
enum class Security { Plain, Tls };

struct HttpClaim {
  Rank rank;
  int port = 0;
  Security security = Security::Plain;
  std::string domain;  // lower case, without port: "api", "[::1]", "*.example.com", "*"
  std::shared_ptr<const Mapping> mapping;
  std::shared_ptr<const Guard> guard;
  UpstreamPtr upstream;
};

struct StreamClaim {
  Rank rank;
  int port = 0;
  Carrier carrier = Carrier::Tcp;
  std::string server_name{};  // of TLS that is passed through: "api", "*.example.com", "*"
  std::shared_ptr<const Mapping> mapping;
  std::shared_ptr<const Guard> guard;
  UpstreamPtr upstream;
  // Callers prove by a client certificate that they are one of these (SPIFFE IDs); the proxy ends
  // TLS with this certificate.
  std::optional<std::int64_t> certificate{};
  std::vector<std::string> callers{};
};

// TLS for the names of a certificate is ended on a port.
struct CertificateClaim {
  int port = 0;
  std::int64_t certificate = 0;
  std::shared_ptr<const Mapping> mapping;
};

struct Plan {
  std::shared_ptr<const Mapping> mapping;
  std::vector<HttpClaim> http;
  std::vector<StreamClaim> streams;
  std::vector<CertificateClaim> certificates;
  std::vector<std::string> proofs;  // domains whose certificates it depends on
  bool by_issuers = false;          // it depends on there being an authority for callers
  std::vector<UpstreamPtr> upstreams;
  std::vector<Finding> findings;
};
using PlanPtr = std::shared_ptr<const Plan>;

Object object_of(const Mapping& mapping);
Object object_of(const Service& service);
Object object_of(const Certificate& certificate);

// The mapping lets websocket through (protocol ws; within TLS wss).
bool allows_upgrade(const HttpClaim& claim);

// The plan of an enabled mapping. `cluster` is the cluster's name, for SPIFFE IDs.
struct Surroundings {
  const Directory& directory;
  const Keyring& keyring;
  const std::string& cluster;
};
PlanPtr make_plan(const std::shared_ptr<const Mapping>& mapping, const Surroundings& surroundings);

// spiffe://marchproxy/<cluster>/<service>
std::string spiffe_id(const std::string& cluster, const Service& service);

}  // namespace mp::xds
