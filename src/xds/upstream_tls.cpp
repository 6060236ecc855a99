#include "xds/upstream_tls.hpp"

#include "xds/address.hpp"
#include "xds/encode.hpp"

#include "envoy/extensions/transport_sockets/tls/v3/tls.pb.h"

namespace mp::xds {
namespace {

namespace tls = envoy::extensions::transport_sockets::tls::v3;
using envoy::config::core::v3::TransportSocket;

constexpr std::string_view match_metadata = "envoy.transport_socket_match";
constexpr std::string_view match_key = "service";

// The name that the certificate must carry, and that is sent as SNI unless it is an address.
std::string server_name(const Service& service) {
  if (!service.tls.server_name.empty()) return service.tls.server_name;
  if (service.endpoints.size() == 1) return service.endpoints.front().address;
  return service.ip_fqdn;
}

void verify(tls::CertificateValidationContext& context, const Service& service) {
  if (service.tls.ca_pem.empty()) {
    context.mutable_system_root_certs();
  } else {
    context.mutable_trusted_ca()->set_inline_string(service.tls.ca_pem);
  }
  const std::string name = server_name(service);
  auto& matcher = *context.add_match_typed_subject_alt_names();
  matcher.set_san_type(is_literal(name) ? tls::SubjectAltNameMatcher::IP_ADDRESS
                                        : tls::SubjectAltNameMatcher::DNS);
  matcher.mutable_matcher()->set_exact(name);
}

TransportSocket transport(const Service& service) {
  tls::UpstreamTlsContext context;
  auto& common = *context.mutable_common_tls_context();
  common.mutable_tls_params()->set_tls_minimum_protocol_version(tls::TlsParameters::TLSv1_2);
  if (service.tls.verify) verify(*common.mutable_validation_context(), service);
  if (service.protocol == UpstreamProtocol::Http2) common.add_alpn_protocols("h2");
  if (const std::string name = server_name(service); !is_literal(name)) context.set_sni(name);
  TransportSocket socket;
  socket.set_name("envoy.transport_sockets.tls");
  *socket.mutable_typed_config() = pack(context);
  return socket;
}

}  // namespace

void mark_tls(envoy::config::endpoint::v3::LbEndpoint& endpoint, const Service& service) {
  if (!service.tls.enabled) return;
  auto& fields =
      *(*endpoint.mutable_metadata()->mutable_filter_metadata())[std::string(match_metadata)]
           .mutable_fields();
  fields[std::string(match_key)].set_string_value(std::to_string(service.id));
}

void set_tls(envoy::config::cluster::v3::Cluster& cluster, const Upstream& upstream) {
  if (upstream.targets.size() == 1) {
    const Service& service = *upstream.targets.front()->service;
    if (service.tls.enabled) *cluster.mutable_transport_socket() = transport(service);
    return;
  }
  for (const PartyPtr& party : upstream.targets) {
    const Service& service = *party->service;
    if (!service.tls.enabled) continue;
    auto& match = *cluster.add_transport_socket_matches();
    match.set_name(service.name);
    (*match.mutable_match()->mutable_fields())[std::string(match_key)].set_string_value(
        std::to_string(service.id));
    *match.mutable_transport_socket() = transport(service);
  }
}

}  // namespace mp::xds
