// What goes over a call: messages made of pieces, of which some are shared by thousands of calls,
// and the status that ends it. Used by all of rpc/ and by who writes messages. No I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mp::rpc {

// First `own`, then what `shared` has: bytes that many messages share are not copied for each.
struct Piece {
  std::string own;
  std::shared_ptr<const std::string> shared;

  std::size_t size() const { return own.size() + (shared ? shared->size() : 0); }
};
using Message = std::vector<Piece>;

// Names in small letters, and values.
using Fields = std::vector<std::pair<std::string, std::string>>;

// Numbers of google.rpc.Code.
namespace code {
inline constexpr int ok = 0, cancelled = 1, unknown = 2, deadline_exceeded = 4,
                     resource_exhausted = 8, unimplemented = 12, internal = 13, unavailable = 14;
}

struct Status {
  int code = code::ok;
  std::string message;
};

// As the trailer grpc-message has it: printable ASCII, the rest and '%' as "%XX"; cut where it is
// longer than a client would take. And back; what is no such text stays as it is.
std::string percent_encode(std::string_view text);
std::string percent_decode(std::string_view text);

// The five bytes before a message: not compressed, and its length.
std::string prefix_of(std::size_t length);

}  // namespace mp::rpc
