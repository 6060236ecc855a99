// Envoy's check of JSON Web Tokens (RFC 7519) signed by services: HS256 with the current and, while
// it counts, the previous secret. Used by admission. The result holds secrets: never log it.
#pragma once

#include "xds/directory.hpp"

#include <google/protobuf/any.pb.h>

#include <map>
#include <string>

namespace mp::xds {

struct TokenCheck {
  // Optional: a request without a good token goes on, and what follows decides.
  enum class Need { Required, Optional };
  Need need = Need::Required;
  Parties parties;  // one of them has signed; at least one
  // Key of the filter's metadata that tells why a token was refused; empty: nobody wants to know.
  std::string refusal{};
  bool operator==(const TokenCheck&) const = default;
};

// A JwtAuthentication for every path. A good token is taken off the request; its expiry is needed,
// and lies at most auth_config.jwt_expiry seconds (3600) ahead, give or take a minute of clock
// difference.
google::protobuf::Any encode(const TokenCheck& check);

// The same for a listener: each check under its name, for routes to refer to.
std::string check_name(const TokenCheck& check);
google::protobuf::Any encode(const std::map<std::string, TokenCheck>& checks);

// Under this key of the filter's metadata stand the claims of a token that this service has signed.
std::string token_payload(const Service& service);

}  // namespace mp::xds
