// TLS of both sides: 1.2 and 1.3, ALPN "h2". Used by rpc/server and rpc/client. Nothing here reads
// a file, and no key is ever printed.
#pragma once

#include "base/secret.hpp"
#include "rpc/channel.hpp"

#include <memory>
#include <string>

struct ssl_ctx_st;

namespace mp::rpc {

struct ServerTls {
  std::string certificate_pem;  // leaf first, then its issuers
  Secret key_pem;
  std::string client_ca_pem;  // not empty: clients must show a certificate of this authority
};

struct ClientTls {
  std::string ca_pem;
  std::string server_name;  // in the server's certificate
};

class Tls {
 public:
  // Throw std::runtime_error saying what does not parse.
  explicit Tls(const ServerTls& server);
  explicit Tls(const ClientTls& client);
  ~Tls();

  std::unique_ptr<Channel> channel(int socket) const;  // safe from any thread

 private:
  std::shared_ptr<ssl_ctx_st> context_;
  std::string server_name_;  // empty at the server
};

}  // namespace mp::rpc
