// JSON Web Tokens (RFC 7519, HS256): those of sessions, made and checked here, and those of
// services, which proxies check. Exactly one algorithm is accepted. Looks nothing up: whether the
// session still exists is the caller's question.
#pragma once

#include "access/keys.hpp"
#include "base/outside.hpp"
#include "base/secret.hpp"
#include "model/service.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mp {

enum class TokenType { Access, Refresh };

struct Token {
  TokenType type = TokenType::Access;
  std::int64_t user_id = 0;
  std::string session_id;
  Time issued_at;
  Time expires_at;
};

class Tokens {
 public:
  // `key`: 32 bytes of the installation. `clock` must outlive this.
  Tokens(Secret key, const Clock& clock);

  // Good from now for `life`. Claims: iss, sub, sid, typ, iat, exp, jti.
  Secret issue(TokenType type, std::int64_t user_id, const std::string& session_id,
               std::chrono::seconds life) const;

  // The token when it is ours, of this type, at most 4 KiB long and not expired; nullopt otherwise.
  std::optional<Token> verify(std::string_view token, TokenType type) const;

 private:
  Secret key_;
  const Clock& clock_;
};

// A token that proves to be the service, signed with its current secret (which must be there).
// Claims: iss, sub (its name), service_id, service_name, iat, exp, jti.
std::string service_token(const Service& service, Time now, std::chrono::seconds life);

}  // namespace mp
