// A gRPC client over HTTP/2: calls to one address, on as many connections as it is told, which are
// made when they are needed and end with their last call. Used by fleet/line and by tests. It tries
// nothing again.
#pragma once

#include "net/tls.hpp"
#include "rpc/limits.hpp"
#include "rpc/session.hpp"

#include <memory>
#include <optional>
#include <string>

namespace mp::rpc {

struct ClientOptions {
  std::string address;  // "host:18000"
  std::optional<net::ClientTls> tls = std::nullopt;
  int threads = 0;  // 0: one per core
  Limits limits = {
      .largest_message = 1u << 30, .call_window = 16u << 20, .connection_window = 64u << 20};
};

class Client {
 public:
  // Throws std::runtime_error when the address means nothing or the authority does not parse.
  explicit Client(ClientOptions options);
  ~Client();  // ends all calls
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Begins a call on the connection of that number. on_end() comes in every case, also when it
  // cannot be connected (UNAVAILABLE). From any thread.
  std::shared_ptr<Call> call(std::size_t connection, std::string method, Fields fields,
                             std::shared_ptr<Receiver> receiver);

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace mp::rpc
