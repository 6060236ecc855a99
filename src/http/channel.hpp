// The bytes of one connected, non-blocking socket, plain or through TLS. Used by connection.cpp,
// which owns the socket and waits for it: a channel never waits, never closes and knows no HTTP.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

namespace mp::http {

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
  virtual Moved write(std::string_view bytes) = 0;
  // Tells the other end that nothing more comes; reading stays possible.
  virtual void end_sending() = 0;
  // Bytes were taken from the socket and not read yet, so its readability says nothing of them.
  virtual bool holds_input() const = 0;
};

std::unique_ptr<Channel> plain_channel(int socket);

// Certificate and settings of the server's side of TLS: 1.2 and 1.3, ALPN "http/1.1", session
// tickets.
class Tls {
 public:
  // PEM files. Throws std::runtime_error naming the setting and the file.
  Tls(const std::string& certificate, const std::string& key);
  ~Tls();
  // From any thread.
  std::unique_ptr<Channel> channel(int socket) const;
  // Reads the files again: channels that are made from now on have what is in them. Throws like the
  // constructor, and nothing changes then. From any thread.
  void renew();

 private:
  struct Context;
  const std::string certificate_;
  const std::string key_;
  mutable std::mutex mutex_;  // guards what follows
  std::shared_ptr<const Context> context_;
};

}  // namespace mp::http
