// The HTTP/1.1 server (RFC 9110, 9112), plain or over TLS: connections, limits and deadlines around
// one Handler. Used by app/ and by tests. It knows no path, no JSON and no user, and writes no
// access log.
#pragma once

#include "base/time.hpp"
#include "http/message.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace mp::http {

struct ServerOptions {
  // "1.2.3.4:8000", or "[::]:8000" (takes IPv4 too); port 0 takes any free one.
  std::string listen = "0.0.0.0:8000";
  // PEM files: the chain, own certificate first, and its key. Both empty: plain HTTP.
  std::string certificate;
  std::string key;

  std::size_t header_limit = 16 * 1024;      // bytes of request line and fields; over it 431
  std::size_t body_limit = 4 * 1024 * 1024;  // bytes; over it the Request says body_too_large
  // Over it a connection gets 503 and is closed (over TLS, or 64 such at a time: only closed).
  std::size_t max_connections = 10'000;
  int threads = 0;  // that do I/O and run Handler::handle; 0: one per core

  // Each ends the connection without an answer. They are checked on a tick of a quarter of the
  // shortest (10 ms to 1 s), so an end comes up to a tick late, never early. How long a Handler
  // takes for its Answer is the Handler's to bound.
  Milliseconds header_timeout{10'000};  // for the TLS handshake, and for a header to come whole
  Milliseconds body_timeout{30'000};    // from the header's end to the body's
  Milliseconds idle_timeout{75'000};    // between an answer and the next request's first byte
  Milliseconds write_timeout{30'000};   // for the client to take an answer

  // Makes the answers that no Handler gives (400, 431, 500, 501, 503), on an I/O thread.
  // Empty: the message as text/plain.
  std::function<Response(int status, std::string_view message)> refuse;
};

class Server {
 public:
  // The handler must outlive the server; an Answer may outlive both and does nothing then.
  Server(ServerOptions options, Handler& handler);
  ~Server();  // stop() without grace
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Binds, listens and starts the threads. Call once. Throws std::runtime_error with one line for
  // the operator: "http.listen: cannot listen on 0.0.0.0:8000: Address already in use".
  void start();

  // The port listened on; 0 before start().
  std::uint16_t port() const;

  // Takes no more connections, closes the idle ones, gives the requests under way up to `grace` to
  // be answered (with Connection: close), then closes all and joins the threads. Not from a
  // Handler.
  void stop(Milliseconds grace);

  // Reads certificate and key again, for the connections that come. Throws std::runtime_error when
  // they are wrong: those of before stay. Does nothing without TLS. While it runs, from any thread.
  void renew_certificate();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace mp::http
