// Answers and requests about secrets: rotations of service secrets and cluster keys, and service
// tokens.
#pragma once

#include "model/shape.hpp"

namespace mp {

struct SecretRotation {
  Secret new_secret;
  Time old_secret_valid_until;
};
inline constexpr std::array secret_rotation_fields{
    field<&SecretRotation::new_secret>(
        "new_secret", "The secret that is current now; shown this once.",
        {.mode = Mode::Server, .example = "\"new_jwt_secret_value\""}),
    field<&SecretRotation::old_secret_valid_until>(
        "old_secret_valid_until", "When the one before ends.", {.mode = Mode::Server}),
};
template <>
inline constexpr Description describe<SecretRotation> = part<SecretRotation>(
    "secret_rotation", "A new secret beside the old one.", secret_rotation_fields);

struct KeyRotation {
  Secret new_api_key;
  Time old_key_valid_until;
};
inline constexpr std::array key_rotation_fields{
    field<&KeyRotation::new_api_key>("new_api_key", "The key that is current now; shown this once.",
                                     {.mode = Mode::Server, .example = "\"mp_cluster_abc123\""}),
    field<&KeyRotation::old_key_valid_until>("old_key_valid_until", "When the one before ends.",
                                             {.mode = Mode::Server}),
};
template <>
inline constexpr Description describe<KeyRotation> =
    part<KeyRotation>("key_rotation", "A new key beside the old one.", key_rotation_fields);

struct TokenRequest {
  std::optional<int> ttl;
};
inline constexpr std::array token_request_fields{
    field<&TokenRequest::ttl>("ttl", "Seconds it is good for; the service's jwt_expiry unless set.",
                              {.min = 60, .max = 86400}),
};
template <>
inline constexpr Description describe<TokenRequest> =
    part<TokenRequest>("token_request", "What token to make.", token_request_fields);

struct ServiceToken {
  Secret token;
  Time expires_at;
};
inline constexpr std::array service_token_fields{
    field<&ServiceToken::token>(
        "token", "The JWT, signed HS256 with the service's current secret.",
        {.mode = Mode::Server, .example = "\"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.c2ln\""}),
    field<&ServiceToken::expires_at>("expires_at", "When it ends.", {.mode = Mode::Server}),
};
template <>
inline constexpr Description describe<ServiceToken> = part<ServiceToken>(
    "service_token", "A token that proves to be a service.", service_token_fields);

}  // namespace mp
