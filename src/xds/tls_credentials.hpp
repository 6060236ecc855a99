// The server's side of TLS on the discovery port, whose certificate can be renewed while it runs:
// gRPC asks at every handshake whether there is another one. Included by server.cpp only.
#pragma once

#include "xds/server.hpp"

#include <grpc/grpc_security.h>
#include <grpcpp/security/server_credentials.h>

#include <mutex>

namespace mp::xds {

// Must outlive the server that it is given to.
class TlsCredentials final : public grpc::ServerCredentials {
 public:
  explicit TlsCredentials(ServerTls tls);
  ~TlsCredentials() override;

  // For handshakes from now on. What does not parse is ignored by gRPC, which keeps the one before.
  void renew(ServerTls tls);

  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override;
  grpc_ssl_certificate_config_reload_status fetch(grpc_ssl_server_certificate_config*& config);

  std::mutex mutex_;
  ServerTls tls_;
  bool fetched_ = false;
  grpc_server_credentials* credentials_ = nullptr;
};

}  // namespace mp::xds
