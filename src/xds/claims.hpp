// Settles who gets what on one port where several mappings claim the same: the lowest rank wins,
// and the others learn of it by a finding. Claims to the same destination do not fight: mappings
// permit, none forbids. Pure; used by port.cpp, which remembers the claims, and by tcp_clash.
#pragma once

#include "xds/intent.hpp"

#include <map>
#include <string>
#include <vector>

namespace mp::xds {

// One path of one domain: all claims lead to the same upstream, the first one's settings count.
struct HttpRoute {
  std::vector<const HttpClaim*> claims;  // by rank, at least one
  const HttpClaim& first() const { return *claims.front(); }
  bool open() const;
};

struct HttpSettlement {
  std::vector<HttpRoute> routes;  // longer paths first
  std::vector<Finding> findings;
};

// The claims on one domain of one port, by rank.
HttpSettlement settle_http(const std::vector<const HttpClaim*>& claims);

struct StreamSettlement {
  const StreamClaim* rest = nullptr;  // takes every caller that no address below names
  // By upstream name: the literal addresses whose connections go there.
  struct Share {
    const StreamClaim* claim = nullptr;
    std::vector<std::string> addresses;
  };
  std::vector<Share> shares;  // by rank of the claim
  std::vector<Finding> findings;
};

// The claims on one port of one carrier (tcp, tls or udp) and, of tls, on one name; by rank.
StreamSettlement settle_streams(const std::vector<const StreamClaim*>& claims);

}  // namespace mp::xds
