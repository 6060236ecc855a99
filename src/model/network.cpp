#include "model/network.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace mp {
namespace {

constexpr AddressBytes mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};
constexpr int mapped_bits = 96;
constexpr int all_bits = 128;

std::optional<int> prefix_length(std::string_view text, int most) {
  int length = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (length < 0 || length > most || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  return length;
}

}  // namespace

std::optional<AddressBytes> address_bytes(std::string_view text) {
  if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos)
    return std::nullopt;
  const std::string copy(text);
  AddressBytes bytes = mapped;
  if (inet_pton(AF_INET, copy.c_str(), bytes.data() + mapped_bits / 8) == 1) return bytes;
  if (inet_pton(AF_INET6, copy.c_str(), bytes.data()) == 1) return bytes;
  return std::nullopt;
}

bool is_ipv4(const AddressBytes& address) {
  return std::equal(mapped.begin(), mapped.begin() + mapped_bits / 8, address.begin());
}

std::optional<Network> Network::parse(std::string_view text) {
  const auto slash = text.find('/');
  const std::string_view written = text.substr(0, slash);
  const auto bytes = address_bytes(written);
  if (!bytes) return std::nullopt;
  if (slash == std::string_view::npos) return Network(*bytes, all_bits);
  const int before = written.find(':') == std::string_view::npos ? mapped_bits : 0;
  const auto length = prefix_length(text.substr(slash + 1), all_bits - before);
  if (!length) return std::nullopt;
  return Network(*bytes, before + *length);
}

bool Network::contains(const AddressBytes& address) const {
  const auto whole = static_cast<std::size_t>(length_ / 8);
  if (!std::equal(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(whole),
                  address.begin()))
    return false;
  const int rest = length_ % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<unsigned char>(0xff << (8 - rest));
  return (bytes_[whole] & mask) == (address[whole] & mask);
}

}  // namespace mp
