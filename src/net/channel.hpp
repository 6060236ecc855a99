// The bytes of one connected, non-blocking socket, plain or through TLS. Used by the connections of
// http and rpc, which own the socket and wait for it: a channel never waits, never closes and knows
// no HTTP.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

struct iovec;

namespace mp::net {

enum class Transfer {
  Done,
  WantRead,   // try again when the socket is readable
  WantWrite,  // try again when the socket is writable
  Lost,       // the other end closed, or the connection or its TLS broke
};

struct Moved {
  Transfer result = Transfer::Lost;
  std::size_t bytes = 0;  // > 0 when Done
};

class Channel {
 public:
  virtual ~Channel() = default;
  virtual Transfer open() = 0;  // goes on with the TLS handshake
  // With room for 16 KiB, the longest record of TLS, nothing that came whole is left inside: the
  // socket is readable when there is more.
  virtual Moved read(std::span<char> into) = 0;
  // Some of the parts, which are not empty. After WantRead or WantWrite the same bytes must be
  // written again.
  virtual Moved write(std::span<const iovec> parts) = 0;
  // Tells the other end that nothing more comes; reading stays possible.
  virtual void end_sending() = 0;
  // A read that did not fill its space may have left more: who reads on until the channel wants the
  // socket has all.
  virtual bool may_hold_input() const = 0;
};

std::unique_ptr<Channel> plain_channel(int socket);

}  // namespace mp::net
