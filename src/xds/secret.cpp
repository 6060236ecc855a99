#include "xds/secret.hpp"

#include "xds/encode.hpp"
#include "xds/intent.hpp"

namespace mp::xds {
namespace {

using envoy::extensions::transport_sockets::tls::v3::Secret;

}  // namespace

std::string certificate_secret(std::int64_t certificate) {
  return "certificate/" + std::to_string(certificate);
}

ResourcePtr make_certificate_secret(const Certificate& certificate) {
  Secret secret;
  secret.set_name(certificate_secret(certificate.id));
  auto& tls = *secret.mutable_tls_certificate();
  tls.mutable_certificate_chain()->set_inline_string(certificate.cert_pem);
  tls.mutable_private_key()->set_inline_string(certificate.key_pem.reveal());
  return make_resource(secret.name(), pack(secret), {object_of(certificate)});
}

ResourcePtr make_authority_secret(const Issuers& issuers) {
  Secret secret;
  secret.set_name(std::string(authority_secret));
  std::string trusted, revoked;
  for (const auto& issuer : issuers) {
    trusted += issuer->certificate_pem;
    revoked += issuer->crl_pem;
  }
  auto& context = *secret.mutable_validation_context();
  context.mutable_trusted_ca()->set_inline_string(trusted);
  context.mutable_crl()->set_inline_string(revoked);
  std::vector<Object> origins;
  for (const auto& issuer : issuers)
    origins.push_back({.type = "issuer", .id = issuer->id, .name = "authority"});
  return make_resource(secret.name(), pack(secret), std::move(origins));
}

void fetch(envoy::extensions::transport_sockets::tls::v3::SdsSecretConfig& config,
           std::string name) {
  config.set_name(std::move(name));
  config.mutable_sds_config()->mutable_ads();
  config.mutable_sds_config()->set_resource_api_version(envoy::config::core::v3::ApiVersion::V3);
}

}  // namespace mp::xds
