#include "xds/token.hpp"

#include "base/secret.hpp"
#include "xds/encode.hpp"

#include "envoy/extensions/filters/http/jwt_authn/v3/config.pb.h"

namespace mp::xds {
namespace {

namespace jwt = envoy::extensions::filters::http::jwt_authn::v3;

constexpr int clock_skew = 60;  // seconds
constexpr int usual_expiry = 3600;

std::string web_key(const Secret& secret) {
  return R"({"kty":"oct","alg":"HS256","k":")" + base64_url(secret.reveal()) + R"("})";
}

// RFC 7517. Without key ids, so that a token is tried with each.
std::string key_set(const Party& party) {
  std::string keys = web_key(*party.service->secret);
  if (party.previous_counts) keys += "," + web_key(*party.service->previous_secret);
  return R"({"keys":[)" + keys + "]}";
}

jwt::JwtProvider provider(const Party& party) {
  const Service& service = *party.service;
  jwt::JwtProvider provider;
  provider.mutable_local_jwks()->set_inline_string(key_set(party));
  auto& header = *provider.add_from_headers();
  header.set_name("Authorization");
  header.set_value_prefix("Bearer ");
  provider.set_payload_in_metadata(token_payload(service));
  provider.set_clock_skew_seconds(clock_skew);
  provider.set_require_expiration(true);
  // Envoy compares the remaining lifetime without any skew.
  provider.mutable_max_lifetime()->set_seconds(
      service.auth_config.jwt_expiry.value_or(usual_expiry) + clock_skew);
  return provider;
}

}  // namespace

std::string token_payload(const Service& service) {
  return "service/" + std::to_string(service.id);
}

google::protobuf::Any encode(const TokenCheck& check) {
  jwt::JwtAuthentication config;
  auto& rule = *config.add_rules();
  rule.mutable_match()->set_prefix("/");
  auto& requirement = *rule.mutable_requires();
  const bool several = check.parties.size() > 1 || check.need == TokenCheck::Need::Optional;
  for (const PartyPtr& party : check.parties) {
    const std::string name = token_payload(*party->service);
    (*config.mutable_providers())[name] = provider(*party);
    auto& one = several ? *requirement.mutable_requires_any()->add_requirements() : requirement;
    one.set_provider_name(name);
  }
  if (check.need == TokenCheck::Need::Optional) {
    requirement.mutable_requires_any()->add_requirements()->mutable_allow_missing_or_failed();
  }
  return pack(config);
}

}  // namespace mp::xds
