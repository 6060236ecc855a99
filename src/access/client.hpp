// Who is at the other end: the address of a client, behind proxies that are trusted to say so.
// Used for rate limits, the back-off of sign-ins and the change log. Knows no HTTP.
#pragma once

#include "model/network.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mp {

class TrustedProxies {
 public:
  // Blocks in CIDR form, already checked.
  explicit TrustedProxies(const std::vector<std::string>& networks);

  // The last hop that is no trusted proxy; `forwarded` are the values of X-Forwarded-For in the
  // order they came. A peer that is not trusted is the client, whatever it claims; where a hop is
  // no address, the proxy that passed it on is.
  std::string client(std::string_view peer, std::span<const std::string_view> forwarded) const;

 private:
  bool trusts(const AddressBytes& address) const;
  std::vector<Network> networks_;
};

// What one client can be expected to have for himself: an IPv4 address, or the /64 of an IPv6 one.
// "192.0.2.1", "2001:db8:0:7::/64".
std::string client_network(std::string_view address);

}  // namespace mp
