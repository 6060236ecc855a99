// HTTP/2 frames by hand, for what no library would send. For tests only.
#pragma once

#include "rpc/message.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace mp::rpc::frames {

inline constexpr std::string_view preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum Type : std::uint8_t {
  Data = 0,
  Headers = 1,
  Priority = 2,
  Reset = 3,
  Settings = 4,
  Ping = 6,
  GoAway = 7,
  WindowUpdate = 8,
  Continuation = 9,
};
inline constexpr std::uint8_t end_stream = 1, end_headers = 4, acknowledges = 1;

inline std::string number(std::uint32_t value, int bytes) {
  std::string text;
  while (bytes-- > 0) text += static_cast<char>(value >> (8 * bytes));
  return text;
}

inline std::string frame(Type type, std::uint8_t flags, std::uint32_t stream,
                         std::string_view payload) {
  return number(static_cast<std::uint32_t>(payload.size()), 3) + static_cast<char>(type) +
         static_cast<char>(flags) + number(stream, 4) + std::string(payload);
}

// HPACK's literals without an index and without Huffman's code; values below 32,894 bytes.
inline std::string text(std::string_view value) {
  if (value.size() < 127) return static_cast<char>(value.size()) + std::string(value);
  std::string bytes(1, '\x7f');
  auto rest = value.size() - 127;
  for (; rest >= 128; rest /= 128) bytes += static_cast<char>(rest % 128 + 128);
  return bytes + static_cast<char>(rest) + std::string(value);
}

inline std::string block(const Fields& fields) {
  std::string bytes;
  for (const auto& [name, value] : fields) bytes += '\0' + text(name) + text(value);
  return bytes;
}

inline Fields head(const std::string& path) {
  return {{":method", "POST"},    {":scheme", "http"}, {":path", path},
          {":authority", "test"}, {"te", "trailers"},  {"content-type", "application/grpc"}};
}

inline std::string request(std::uint32_t stream, const Fields& fields) {
  return frame(Headers, end_headers, stream, block(fields));
}

inline std::string greeting() { return std::string(preface) + frame(Settings, 0, 0, ""); }

}  // namespace mp::rpc::frames
