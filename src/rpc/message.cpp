#include "rpc/message.hpp"

#include <charconv>

namespace mp::rpc {
namespace {

constexpr std::size_t longest_text = 2'000;  // bytes; clients take 8 KiB of fields

}  // namespace

std::string percent_encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string encoded;
  for (const char each : text.substr(0, longest_text)) {
    const auto byte = static_cast<unsigned char>(each);
    if (byte >= 0x20 && byte <= 0x7e && each != '%') {
      encoded += each;
    } else {
      encoded += '%';
      encoded += digits[byte >> 4];
      encoded += digits[byte & 0xf];
    }
  }
  // RFC 9113, 8.2.1: no field begins or ends with a space.
  if (encoded.ends_with(' ')) encoded.replace(encoded.size() - 1, 1, "%20");
  if (encoded.starts_with(' ')) encoded.replace(0, 1, "%20");
  return encoded;
}

std::string percent_decode(std::string_view text) {
  std::string decoded;
  for (std::size_t at = 0; at < text.size(); ++at) {
    unsigned value = 0;
    const char* digits = text.data() + at + 1;
    if (text[at] == '%' && at + 2 < text.size() &&
        std::from_chars(digits, digits + 2, value, 16).ptr == digits + 2) {
      decoded += static_cast<char>(value);
      at += 2;
    } else {
      decoded += text[at];
    }
  }
  return decoded;
}

std::string prefix_of(std::size_t length) {
  std::string prefix(5, '\0');
  for (int byte = 4; byte > 0; --byte, length >>= 8) prefix[byte] = static_cast<char>(length);
  return prefix;
}

}  // namespace mp::rpc
