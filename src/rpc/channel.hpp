// The bytes of one connected, non-blocking socket, plain or through TLS. Used by rpc/connection,
// which owns the socket and waits for it: a channel never waits, never closes and knows no HTTP.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

struct iovec;

namespace mp::rpc {

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
  virtual Moved read(std::span<char> into) = 0;
  // After WantRead or WantWrite the same bytes must be written again.
  virtual Moved write(std::span<const iovec> parts) = 0;
  virtual void end_sending() = 0;
  // Bytes may have been taken from the socket and not read yet, so that it must be read until it
  // wants more.
  virtual bool keeps_input() const = 0;
};

std::unique_ptr<Channel> plain_channel(int socket);

}  // namespace mp::rpc
