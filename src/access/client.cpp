#include "access/client.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <optional>

namespace mp {
namespace {

constexpr std::size_t client_bytes = 8;  // of an IPv6 address: a /64

std::string text_of(const AddressBytes& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (is_ipv4(address))
    inet_ntop(AF_INET, address.data() + 12, text.data(), text.size());
  else
    inet_ntop(AF_INET6, address.data(), text.data(), text.size());
  return text.data();
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

// Some proxies add the port: 192.0.2.1:4711, [2001:db8::1]:4711.
std::optional<AddressBytes> hop_address(std::string_view hop) {
  if (hop.starts_with('[')) {
    const auto end = hop.find(']');
    return end == std::string_view::npos ? std::nullopt : address_bytes(hop.substr(1, end - 1));
  }
  if (std::ranges::count(hop, ':') == 1) hop = hop.substr(0, hop.find(':'));
  return address_bytes(hop);
}

// Takes the last of "a, b, c" away.
std::string_view take_last(std::string_view& list) {
  const auto comma = list.rfind(',');
  const std::string_view last = comma == std::string_view::npos ? list : list.substr(comma + 1);
  list = comma == std::string_view::npos ? std::string_view() : list.substr(0, comma);
  return trimmed(last);
}

}  // namespace

TrustedProxies::TrustedProxies(const std::vector<std::string>& networks) {
  for (const std::string& text : networks) networks_.push_back(Network::parse(text).value());
}

bool TrustedProxies::trusts(const AddressBytes& address) const {
  return std::ranges::any_of(networks_,
                             [&](const Network& each) { return each.contains(address); });
}

std::string TrustedProxies::client(std::string_view peer,
                                   std::span<const std::string_view> forwarded) const {
  // The server writes IPv4 addresses in one way only.
  if (forwarded.empty() && peer.find(':') == std::string_view::npos) return std::string(peer);
  auto current = address_bytes(peer);
  if (!current) return std::string(peer);
  for (std::size_t at = forwarded.size(); at-- > 0;) {
    std::string_view rest = forwarded[at];
    while (!rest.empty()) {
      if (!trusts(*current)) return text_of(*current);
      const auto hop = hop_address(take_last(rest));
      if (!hop) return text_of(*current);
      current = hop;
    }
  }
  return text_of(*current);
}

std::string client_network(std::string_view address) {
  auto bytes = address_bytes(address);
  if (!bytes) return std::string(address);
  if (is_ipv4(*bytes)) return text_of(*bytes);
  std::fill(bytes->begin() + client_bytes, bytes->end(), 0);
  return text_of(*bytes) + "/64";
}

}  // namespace mp
