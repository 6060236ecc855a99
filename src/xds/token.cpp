#include "xds/token.hpp"

#include "base/secret.hpp"
#include "xds/encode.hpp"

#include "envoy/extensions/filters/http/jwt_authn/v3/config.pb.h"

namespace mp::xds {
namespace {

namespace jwt = envoy::extensions::filters::http::jwt_authn::v3;

constexpr int clock_skew = 60;  // seconds

std::string web_key(const Secret& secret) {
  return R"({"kty":"oct","alg":"HS256","k":")" + base64_url(secret.reveal()) + R"("})";
}

// RFC 7517. Without key ids, so that a token is tried with each.
std::string key_set(const Party& party) {
  std::string keys = web_key(*party.service->secret);
  if (party.previous_counts) keys += "," + web_key(*party.service->previous_secret);
  return R"({"keys":[)" + keys + "]}";
}

jwt::JwtProvider provider(const Party& party, const std::string& refusal) {
  const Service& service = *party.service;
  jwt::JwtProvider provider;
  provider.mutable_local_jwks()->set_inline_string(key_set(party));
  auto& header = *provider.add_from_headers();
  header.set_name("Authorization");
  header.set_value_prefix("Bearer ");
  provider.set_payload_in_metadata(token_payload(service));
  provider.set_failed_status_in_metadata(refusal);
  provider.set_clock_skew_seconds(clock_skew);
  provider.set_require_expiration(true);
  // Envoy compares the remaining lifetime without any skew.
  provider.mutable_max_lifetime()->set_seconds(
      service.auth_config.jwt_expiry.value_or(usual_jwt_expiry) + clock_skew);
  return provider;
}

void add_providers(jwt::JwtAuthentication& config, const TokenCheck& check) {
  for (const PartyPtr& party : check.parties)
    (*config.mutable_providers())[token_payload(*party->service)] = provider(*party, check.refusal);
}

void require(jwt::JwtRequirement& requirement, const TokenCheck& check) {
  const bool several = check.parties.size() > 1 || check.need == TokenCheck::Need::Optional;
  for (const PartyPtr& party : check.parties) {
    auto& one = several ? *requirement.mutable_requires_any()->add_requirements() : requirement;
    one.set_provider_name(token_payload(*party->service));
  }
  if (check.need == TokenCheck::Need::Optional) {
    requirement.mutable_requires_any()->add_requirements()->mutable_allow_missing_or_failed();
  }
}

}  // namespace

std::string token_payload(const Service& service) {
  return "service/" + std::to_string(service.id);
}

std::string check_name(const TokenCheck& check) {
  std::string name = check.need == TokenCheck::Need::Required ? "required" : "optional";
  for (const PartyPtr& party : check.parties) name += " " + token_payload(*party->service);
  return name;
}

google::protobuf::Any encode(const TokenCheck& check) {
  jwt::JwtAuthentication config;
  auto& rule = *config.add_rules();
  rule.mutable_match()->set_prefix("/");
  require(*rule.mutable_requires(), check);
  add_providers(config, check);
  return pack(config);
}

google::protobuf::Any encode(const std::map<std::string, TokenCheck>& checks) {
  jwt::JwtAuthentication config;
  for (const auto& [name, check] : checks) {
    require((*config.mutable_requirement_map())[name], check);
    add_providers(config, check);
  }
  return pack(config);
}

}  // namespace mp::xds
