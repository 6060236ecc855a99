// Bytes that go onto a connection together: small ones copied next to each other, large shared ones
// only referred to. Filled by rpc/session, written by rpc/connection.
#pragma once

#include "net/channel.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mp::rpc {

using net::Channel;
using net::Moved;
using net::Transfer;

class Gather {
 public:
  void copy(std::string_view bytes);
  // `bytes` lie in what `owner` keeps.
  void refer(const std::shared_ptr<const std::string>& owner, std::string_view bytes);

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

  // Writes until all is written (Done, and it is empty then) or the channel takes no more.
  Transfer send(Channel& channel);

 private:
  struct Part {
    std::shared_ptr<const std::string> owner;  // null: the bytes are in text_
    std::size_t begin = 0;                     // in the owner's text or in text_
    std::size_t size = 0;
  };
  void advance(std::size_t bytes);

  std::string text_;
  std::vector<Part> parts_;
  std::size_t first_ = 0;  // of parts_ that is not written yet
  std::size_t size_ = 0;   // bytes to be written
};

}  // namespace mp::rpc
