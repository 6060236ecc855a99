// One stream of a simulated proxy: sends what fleet/proxy says, answers what comes, and tells the
// gauge. Reconnects only when it is told to. The one place here that knows rpc/client.
#pragma once

#include "base/secret.hpp"
#include "fleet/gauge.hpp"
#include "fleet/proxy.hpp"
#include "rpc/client.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace mp::fleet {

struct Target {
  std::string address;  // "host:18000"
  Secret cluster_key;
  // Without an authority the connection has no TLS.
  net::ClientTls tls{.server_name = "xds.marchproxy.internal"};
  std::size_t per_connection = 1;  // streams on one TCP connection
};

// For all lines. Throws std::runtime_error when the target cannot be one.
rpc::ClientOptions client_options(const Target& target);

struct Ended {
  int status = 0;  // gRPC's
  std::string message;
};

// What all lines share.
struct Board {
  Catalogue catalogue;
  Gauge gauge;
  Variant variant = Variant::Delta;
  std::atomic<std::size_t> open{0};
  std::atomic<std::size_t> ready{0};
  std::atomic<std::uint64_t> unreadable{0};  // responses that are none

  Board(std::size_t proxies, Variant given) : gauge(proxies), variant(given) {}
};

class Line {
 public:
  // The client must end before it.
  Line(Board& board, rpc::Client& client, const Target& target, Identity identity,
       std::size_t number);
  ~Line();  // the stream must have ended
  Line(Line&&) noexcept;

  void connect();
  void cancel();
  bool connected() const;
  bool ready() const;
  // When the proxy became ready on this stream.
  Moment ready_at() const;
  Ended ended() const;

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace mp::fleet
