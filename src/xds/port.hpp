// Everything that is claimed on one TCP or UDP port, and the listener, routes and scopes that
// follow. Remembers the claims and remakes only what a changed claim touches; what it makes depends
// on the claims it holds and on nothing else. Used by build.cpp.
#pragma once

#include "xds/build.hpp"
#include "xds/claims.hpp"
#include "xds/route.hpp"
#include "xds/shelf.hpp"
#include "xds/tally.hpp"

#include <array>
#include <map>
#include <set>
#include <string>

namespace mp::xds {

using Shelves = std::array<Shelf, type_count>;

class Port {
 public:
  // HTTP claims belong on a TCP port.
  enum class Transport { Tcp, Udp };
  Port(Transport transport, int number, const Audience& audience)
      : transport_(transport), number_(number), audience_(audience) {}

  // The claims stay where they are until they are removed.
  void add(const HttpClaim& claim);
  void remove(const HttpClaim& claim);
  void add(const StreamClaim& claim);
  void remove(const StreamClaim& claim);
  bool empty() const { return domains_.empty() && streams_.empty(); }

  // Brings shelves and findings up to date with the claims.
  void remake(Shelves& shelves, Tally& findings);

 private:
  struct ByRank {
    template <class Claim>
    bool operator()(const Claim* left, const Claim* right) const {
      return left->rank != right->rank ? left->rank < right->rank : std::less<>()(left, right);
    }
  };
  struct Domain {
    std::set<const HttpClaim*, ByRank> claims;
    VirtualHost host;
    std::vector<Finding> findings;
  };

  void count_in(const Mapping& mapping, bool by_path);
  void count_out(const Mapping& mapping, bool by_path);
  void remake_domain(const std::string& name, Shelves& shelves, Tally& findings);
  void remake_joint(Shelves& shelves);
  void remake_listener(Shelves& shelves, Tally& findings);
  ResourcePtr make_listener(StreamSettlement streams) const;
  std::vector<const VirtualHost*> hosts() const;

  Transport transport_;
  int number_;
  Audience audience_;
  std::map<std::string, Domain> domains_;
  std::set<std::string> touched_;
  std::set<const StreamClaim*, ByRank> streams_;
  std::map<std::pair<int, std::int64_t>, int> mappings_;  // (priority, id): claims
  int by_path_ = 0;                                       // claims whose mapping has a path_prefix
  std::vector<Finding> stream_findings_;
};

}  // namespace mp::xds
