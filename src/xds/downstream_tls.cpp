#include "xds/downstream_tls.hpp"

#include "xds/encode.hpp"
#include "xds/secret.hpp"

#include "envoy/extensions/transport_sockets/tls/v3/tls.pb.h"

namespace mp::xds {
namespace {

namespace tls = envoy::extensions::transport_sockets::tls::v3;
using envoy::config::listener::v3::FilterChain;

constexpr int handshake_timeout = 10;  // seconds

tls::DownstreamTlsContext context_for(std::int64_t certificate) {
  tls::DownstreamTlsContext context;
  auto& common = *context.mutable_common_tls_context();
  common.mutable_tls_params()->set_tls_minimum_protocol_version(tls::TlsParameters::TLSv1_2);
  fetch(*common.add_tls_certificate_sds_secret_configs(), certificate_secret(certificate));
  return context;
}

void use(FilterChain& chain, const tls::DownstreamTlsContext& context) {
  chain.mutable_transport_socket()->set_name("envoy.transport_sockets.tls");
  *chain.mutable_transport_socket()->mutable_typed_config() = pack(context);
  chain.mutable_transport_socket_connect_timeout()->set_seconds(handshake_timeout);
}

}  // namespace

void end_tls(FilterChain& chain, std::int64_t certificate) {
  tls::DownstreamTlsContext context = context_for(certificate);
  for (const char* protocol : {"h2", "http/1.1"})
    context.mutable_common_tls_context()->add_alpn_protocols(protocol);
  use(chain, context);
}

void end_mutual_tls(FilterChain& chain, std::int64_t certificate,
                    const std::vector<std::string>& callers) {
  tls::DownstreamTlsContext context = context_for(certificate);
  context.mutable_require_client_certificate()->set_value(true);
  auto& combined = *context.mutable_common_tls_context()->mutable_combined_validation_context();
  fetch(*combined.mutable_validation_context_sds_secret_config(), std::string(authority_secret));
  for (const std::string& caller : callers) {
    auto& matcher =
        *combined.mutable_default_validation_context()->add_match_typed_subject_alt_names();
    matcher.set_san_type(tls::SubjectAltNameMatcher::URI);
    matcher.mutable_matcher()->set_exact(caller);
  }
  use(chain, context);
}

}  // namespace mp::xds
