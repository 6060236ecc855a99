// Messages out of the bytes of a call (gRPC's Length-Prefixed-Message), as they come. Used by
// rpc/session. Believes no length before the bytes are there, and copies only messages that come in
// parts.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mp::rpc {

class Assembly {
 public:
  enum class Outcome { Incomplete, Message, Compressed, TooLarge };
  struct Taken {
    Outcome outcome = Outcome::Incomplete;
    std::string_view message = {};  // valid until drop()
  };

  explicit Assembly(std::size_t largest) : largest_(largest) {}

  // Takes from the front of `input` what belongs to the next message.
  Taken take(std::string_view& input);
  void drop();  // after a message

  std::size_t size() const { return partial_.size(); }  // bytes kept

 private:
  void keep(std::string_view& input, std::size_t until);

  std::size_t largest_;
  std::string partial_;
};

}  // namespace mp::rpc
