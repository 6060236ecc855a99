// A gRPC server over HTTP/2, plain or through TLS: connections and limits around one function that
// says who receives on a call. Used by xds/server and by tests. It knows no method and no message.
#pragma once

#include "net/tls.hpp"
#include "rpc/limits.hpp"
#include "rpc/session.hpp"

#include <memory>
#include <optional>
#include <string>

namespace mp::rpc {

struct ServerOptions {
  std::string listen;  // "1.2.3.4:18000", "[::]:18000" (takes IPv4 too), "host:18000"; port 0: any
  std::optional<net::ServerTls> tls = std::nullopt;
  int threads = 0;  // 0: one per core
  Limits limits = {};
};

class Server {
  class State;

 public:
  // `accept` is called on the I/O threads, and must not block.
  Server(ServerOptions options, Accept accept);
  ~Server();  // stops without grace
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Once. Throws std::runtime_error when it cannot listen or the TLS texts do not parse.
  void start();
  int port() const;  // 0 before start()

  // While it lives, what is written on calls may wait until there is more, or it ends: for who
  // writes on thousands of calls, whose threads are then woken once for many. Outlived by the
  // server.
  class Burst {
   public:
    explicit Burst(State& state);
    ~Burst();
    Burst(const Burst&) = delete;
    Burst& operator=(const Burst&) = delete;

   private:
    State& state_;
  };
  Burst burst() { return Burst{*state_}; }

  // Another certificate for connections to come; without effect on a server without TLS. What does
  // not parse is logged and changes nothing. From any thread.
  void renew(const net::ServerTls& tls);

  // Takes no calls, waits up to `grace` for those that are there to end, ends the others
  // (UNAVAILABLE) and joins the threads. Not from a Receiver. Idempotent.
  void stop(Milliseconds grace);

 private:
  std::unique_ptr<State> state_;
};

}  // namespace mp::rpc
