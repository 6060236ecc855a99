// IP addresses as numbers, and blocks of them in CIDR form (RFC 4632, RFC 4291). Used where an
// address is compared rather than printed: trusted proxies and rate limits.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace mp {

// In network byte order; an IPv4 address is its IPv4-mapped one, ::ffff:a.b.c.d.
using AddressBytes = std::array<unsigned char, 16>;

// An IPv4 or IPv6 address without zone; nullopt for anything else.
std::optional<AddressBytes> address_bytes(std::string_view text);
bool is_ipv4(const AddressBytes& address);

class Network {
 public:
  // "10.0.0.0/8", "2001:db8::/32", or one address; bits behind the prefix are ignored.
  static std::optional<Network> parse(std::string_view text);
  bool contains(const AddressBytes& address) const;

 private:
  Network(AddressBytes bytes, int length) : bytes_(bytes), length_(length) {}
  AddressBytes bytes_;
  int length_;  // leading bits that count, of 128
};

}  // namespace mp
