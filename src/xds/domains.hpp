// The HTTP domains that are claimed on one port, in clear or within TLS, and the routes and scopes
// that follow. Remakes only what a changed claim touches. Used by port.cpp.
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

inline Shelf& shelf(Shelves& shelves, Type type) { return shelves[static_cast<std::size_t>(type)]; }

// For sets of pointers to claims.
struct ByRank {
  template <class Claim>
  bool operator()(const Claim* left, const Claim* right) const {
    return left->rank != right->rank ? left->rank < right->rank : std::less<>()(left, right);
  }
};

class Domains {
 public:
  Domains(int port, Security security, const Audience& audience)
      : routes_(routes_name(port, security)),
        flavour_(audience.flavour),
        logging_(audience.logging) {}

  // The claims stay where they are until they are removed.
  void add(const HttpClaim& claim);
  void remove(const HttpClaim& claim);
  bool empty() const { return domains_.empty(); }
  // Some claim's mapping has a path_prefix.
  bool by_path() const { return by_path_ > 0; }

  // The checks of tokens that the listener has to have, encoded; empty: none.
  const std::string& tokens() const { return tokens_; }

  // Brings shelves and findings up to date with the claims.
  void remake(Shelves& shelves, Tally& findings);

 private:
  struct Domain {
    std::set<const HttpClaim*, ByRank> claims;
    VirtualHost host;
    std::vector<Finding> findings;
  };

  void remake_domain(const std::string& name, Shelves& shelves, Tally& findings);
  void remake_joint(Shelves& shelves);
  std::vector<const VirtualHost*> hosts() const;
  void count_checks(const VirtualHost& host, int step);
  void encode_checks();

  std::string routes_;
  Flavour flavour_;
  Logging logging_;
  std::map<std::string, Domain> domains_;
  std::set<std::string> wildcards_;  // of domains_
  struct Check {
    TokenCheck check;
    int users = 0;
  };
  std::map<std::string, Check> checks_;  // by name: of all domains
  bool checks_changed_ = false;          // since they were encoded
  std::string tokens_;
  std::set<std::string> touched_;
  int by_path_ = 0;  // claims
};

}  // namespace mp::xds
