// Everything that is claimed on one TCP or UDP port, and the listener, routes and scopes that
// follow. Remembers the claims and remakes only what a changed claim touches; what it makes depends
// on the claims it holds, on the certificates they name and on nothing else. Used by build.cpp.
#pragma once

#include "xds/domains.hpp"
#include "xds/listener.hpp"

#include <map>
#include <set>
#include <string>
#include <tuple>

namespace mp::xds {

class Port {
 public:
  // HTTP and certificate claims belong on a TCP port.
  enum class Transport { Tcp, Udp };
  Port(Transport transport, int number, const Audience& audience);

  // The claims stay where they are until they are removed.
  void add(const HttpClaim& claim);
  void remove(const HttpClaim& claim);
  void add(const StreamClaim& claim);
  void remove(const StreamClaim& claim);
  void add(const CertificateClaim& claim);
  void remove(const CertificateClaim& claim);
  // A certificate counts for other names than before; true when that concerns the port.
  bool rename(std::int64_t certificate);
  bool empty() const { return mappings_.empty(); }

  // Brings shelves and findings up to date with the claims.
  void remake(const Keyring& keyring, Shelves& shelves, Tally& findings);

 private:
  // The claims that only one of can have: on a carrier, or of TLS on a server name.
  struct Contest {
    std::set<const StreamClaim*, ByRank> claims;
    StreamSettlement settlement;
    std::vector<Finding> findings;
  };
  // What else the listener depends on: who is first, how HTTP is to be read, which tokens count.
  using Shape = std::tuple<std::int64_t, TcpPort::Http, TcpPort::Http, std::string, std::string>;

  Domains& domains(const HttpClaim& claim) {
    return claim.security == Security::Tls ? within_tls_ : in_clear_;
  }
  void count_in(const Mapping& mapping);
  void count_out(const Mapping& mapping);
  Shape shape() const;
  void settle(Tally& findings);
  ResourcePtr make_listener(const Keyring& keyring) const;

  Transport transport_;
  int number_;
  Audience audience_;
  Domains in_clear_;
  Domains within_tls_;
  std::map<std::string, Contest> streams_;    // by server name; "" for TCP and UDP themselves
  std::map<std::int64_t, int> certificates_;  // by id: claims
  std::set<std::string> touched_;             // of streams_
  bool changed_ = false;                      // the listener's chains
  Shape shape_;                               // that the listener was made of
  std::map<std::pair<int, std::int64_t>, int> mappings_;  // (priority, id): claims
};

}  // namespace mp::xds
