#include "xds/tls_credentials.hpp"

#include <grpc/grpc.h>

#include <utility>

namespace mp::xds {

TlsCredentials::TlsCredentials(ServerTls tls) : tls_(std::move(tls)) {
  auto* options = grpc_ssl_server_credentials_create_options_using_config_fetcher(
      tls_.client_ca_pem.empty() ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                                 : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY,
      [](void* self, grpc_ssl_server_certificate_config** config) {
        return static_cast<TlsCredentials*>(self)->fetch(*config);
      },
      this);
  credentials_ = grpc_ssl_server_credentials_create_with_options(options);
}

TlsCredentials::~TlsCredentials() { grpc_server_credentials_release(credentials_); }

void TlsCredentials::renew(ServerTls tls) {
  const std::lock_guard lock(mutex_);
  tls_ = std::move(tls);
  fetched_ = false;
}

int TlsCredentials::AddPortToServer(const std::string& address, grpc_server* server) {
  return grpc_server_add_http2_port(server, address.c_str(), credentials_);
}

grpc_ssl_certificate_config_reload_status TlsCredentials::fetch(
    grpc_ssl_server_certificate_config*& config) {
  const std::lock_guard lock(mutex_);
  if (std::exchange(fetched_, true)) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
  const grpc_ssl_pem_key_cert_pair pair{tls_.key_pem.reveal().c_str(),
                                        tls_.certificate_pem.c_str()};
  // gRPC wants some authorities even where it asks no client for a certificate.
  const std::string& authorities =
      tls_.client_ca_pem.empty() ? tls_.certificate_pem : tls_.client_ca_pem;
  config = grpc_ssl_server_certificate_config_create(authorities.c_str(), &pair, 1);
  return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
}

}  // namespace mp::xds
