#include "xds/upstream_tls.hpp"

#include "xds/address.hpp"
#include "xds/encode.hpp"
#include "xds/secret.hpp"

#include "envoy/extensions/transport_sockets/tls/v3/tls.pb.h"

#include <algorithm>

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

void match_name(tls::CertificateValidationContext& context, const Service& service) {
  const std::string name = server_name(service);
  auto& matcher = *context.add_match_typed_subject_alt_names();
  matcher.set_san_type(is_literal(name) ? tls::SubjectAltNameMatcher::IP_ADDRESS
                                        : tls::SubjectAltNameMatcher::DNS);
  matcher.mutable_matcher()->set_exact(name);
}

void verify(tls::CommonTlsContext& common, const Service& service, const Keyring& keyring) {
  if (keyring.all_ours(service.tls.ca_pem)) {
    auto& combined = *common.mutable_combined_validation_context();
    fetch(*combined.mutable_validation_context_sds_secret_config(), std::string(authority_secret));
    match_name(*combined.mutable_default_validation_context(), service);
    return;
  }
  auto& context = *common.mutable_validation_context();
  if (service.tls.ca_pem.empty()) {
    context.mutable_system_root_certs();
  } else {
    context.mutable_trusted_ca()->set_inline_string(service.tls.ca_pem);
  }
  match_name(context, service);
}

TransportSocket transport(const Service& service, const Keyring& keyring) {
  tls::UpstreamTlsContext context;
  auto& common = *context.mutable_common_tls_context();
  common.mutable_tls_params()->set_tls_minimum_protocol_version(tls::TlsParameters::TLSv1_2);
  if (service.tls.verify) verify(common, service, keyring);
  if (service.protocol == UpstreamProtocol::Http2) common.add_alpn_protocols("h2");
  if (const std::string name = server_name(service); !is_literal(name)) context.set_sni(name);
  TransportSocket socket;
  socket.set_name("envoy.transport_sockets.tls");
  *socket.mutable_typed_config() = pack(context);
  return socket;
}

bool encrypts(const Upstream& upstream, const Service& service) {
  return encrypts(upstream.wire, upstream.port, service);
}

// What speaks https on the mapping's port is the service itself; one with another port may be
// plain.
bool expects_tls(const Service& service, int mapped_port) {
  const UpstreamTls& tls = service.tls;
  if (!tls.verify || !tls.server_name.empty() || !tls.ca_pem.empty()) return true;
  return std::ranges::all_of(targets_of(service, mapped_port),
                             [&](const Target& target) { return target.port == mapped_port; });
}

}  // namespace

bool encrypts(Wire wire, int mapped_port, const Service& service) {
  switch (wire) {
    case Wire::AsConfigured: return service.tls.enabled;
    case Wire::Secured: return service.tls.enabled || expects_tls(service, mapped_port);
    case Wire::Untouched: break;
  }
  return false;
}

Wire wire_of(const Parties& targets, int mapped_port, Wire wanted) {
  const bool same = std::ranges::all_of(targets, [&](const PartyPtr& party) {
    return encrypts(wanted, mapped_port, *party->service) == party->service->tls.enabled;
  });
  return same ? Wire::AsConfigured : wanted;
}

void mark_tls(envoy::config::endpoint::v3::LbEndpoint& endpoint, const Upstream& upstream,
              const Service& service) {
  if (!encrypts(upstream, service)) return;
  auto& fields =
      *(*endpoint.mutable_metadata()->mutable_filter_metadata())[std::string(match_metadata)]
           .mutable_fields();
  fields[std::string(match_key)].set_string_value(std::to_string(service.id));
}

bool trusts_authority(const Upstream& upstream, const Keyring& keyring) {
  return std::ranges::any_of(upstream.targets, [&](const PartyPtr& party) {
    const Service& service = *party->service;
    return encrypts(upstream, service) && service.tls.verify &&
           keyring.all_ours(service.tls.ca_pem);
  });
}

void set_tls(envoy::config::cluster::v3::Cluster& cluster, const Upstream& upstream,
             const Keyring& keyring) {
  if (upstream.targets.size() == 1) {
    const Service& service = *upstream.targets.front()->service;
    if (encrypts(upstream, service))
      *cluster.mutable_transport_socket() = transport(service, keyring);
    return;
  }
  for (const PartyPtr& party : upstream.targets) {
    const Service& service = *party->service;
    if (!encrypts(upstream, service)) continue;
    auto& match = *cluster.add_transport_socket_matches();
    match.set_name(service.name);
    (*match.mutable_match()->mutable_fields())[std::string(match_key)].set_string_value(
        std::to_string(service.id));
    *match.mutable_transport_socket() = transport(service, keyring);
  }
}

}  // namespace mp::xds
