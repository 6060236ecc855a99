// TLS 1.2 and 1.3 of the server's or the client's side. Used by the servers of http and rpc, and by
// rpc/client. Nothing here reads a file, and no key is ever printed.
#pragma once

#include "base/secret.hpp"
#include "net/channel.hpp"

#include <memory>
#include <mutex>
#include <string>

struct ssl_ctx_st;

namespace mp::net {

// What is spoken inside. Both ends name it (ALPN, RFC 7301); who names only others is refused.
struct Protocol {
  enum class Naming { Optional, Required };  // Required: who names none is refused too
  const char* name;                          // a literal, behind a byte that is its length
  Naming naming;
};
inline constexpr Protocol http1{"\x08http/1.1", Protocol::Naming::Optional};
inline constexpr Protocol http2{"\x02h2", Protocol::Naming::Required};

struct ServerTls {
  std::string certificate_pem;  // leaf first, then its issuers
  Secret key_pem;
  std::string client_ca_pem;  // not empty: clients must show a certificate of this authority
};

struct ClientTls {
  std::string ca_pem;
  std::string server_name;        // or IP address, in the server's certificate
  std::string certificate_pem{};  // leaf first; empty: the client shows none
  Secret key_pem{};
};

// How a fault begins that is about one of these.
struct Titles {
  std::string certificate = "the certificate";
  std::string key = "the key";
};

class Tls {
 public:
  // Throw std::runtime_error saying what does not parse, or does not fit.
  Tls(const ServerTls& server, const Protocol& protocol, Titles titles = {});
  Tls(const ClientTls& client, const Protocol& protocol);
  ~Tls();

  std::unique_ptr<Channel> channel(int socket) const;  // from any thread
  // A server's channels that are made from now on show this certificate. Throws like the
  // constructor, and nothing changes then. From any thread.
  void renew(const ServerTls& server);

 private:
  const Protocol protocol_;
  const Titles titles_;
  const std::string server_name_;  // empty at the server
  mutable std::mutex mutex_;       // guards what follows
  std::shared_ptr<ssl_ctx_st> context_;
};

}  // namespace mp::net
