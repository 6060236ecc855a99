#include "access/token.hpp"

#include <sodium.h>
#include <boost/json.hpp>

#include <array>
#include <charconv>
#include <stdexcept>

namespace mp {
namespace {

namespace json = boost::json;

constexpr std::string_view issuer = "marchproxy";
constexpr std::string_view header = R"({"alg":"HS256","typ":"JWT"})";
constexpr std::size_t longest_token = 4096;
// How far the clocks of several managers may be apart.
constexpr std::chrono::seconds skew{60};

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// HMAC SHA-256 (RFC 2104) with a key of any length, as base64url.
std::string signature(std::string_view text, std::string_view key) {
  crypto_auth_hmacsha256_state state;
  std::array<unsigned char, crypto_auth_hmacsha256_BYTES> mac{};
  crypto_auth_hmacsha256_init(&state, bytes(key), key.size());
  crypto_auth_hmacsha256_update(&state, bytes(text), text.size());
  crypto_auth_hmacsha256_final(&state, mac.data());
  sodium_memzero(&state, sizeof state);
  return base64_url({reinterpret_cast<const char*>(mac.data()), mac.size()});
}

std::string sign(const json::object& claims, std::string_view key) {
  std::string text = base64_url(header) + "." + base64_url(json::serialize(claims));
  std::string mac = signature(text, key);
  return text + "." + mac;
}

std::int64_t seconds_of(Time time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

std::optional<json::object> decode(std::string_view part) {
  std::string text(part.size(), '\0');
  std::size_t length = 0;
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(text.data()), text.size(), part.data(),
                        part.size(), nullptr, &length, nullptr,
                        sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0) {
    return std::nullopt;
  }
  text.resize(length);
  json::error_code error;
  json::value value = json::parse(text, error);
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value.as_object());
}

std::string_view text_claim(const json::object& claims, std::string_view name) {
  const auto* value = claims.if_contains(name);
  const auto* text = value ? value->if_string() : nullptr;
  return text ? std::string_view(*text) : std::string_view();
}

std::optional<Time> time_claim(const json::object& claims, std::string_view name) {
  const auto* value = claims.if_contains(name);
  const auto* seconds = value ? value->if_int64() : nullptr;
  if (!seconds) return std::nullopt;
  return Time(std::chrono::seconds(*seconds));
}

std::string_view name_of(TokenType type) {
  return type == TokenType::Access ? "access" : "refresh";
}

std::optional<Token> read_claims(const json::object& claims, TokenType type, Time now) {
  const auto subject = text_claim(claims, "sub");
  Token token;
  token.type = type;
  token.session_id = text_claim(claims, "sid");
  const auto [end, failed] =
      std::from_chars(subject.data(), subject.data() + subject.size(), token.user_id);
  const auto issued = time_claim(claims, "iat");
  const auto expires = time_claim(claims, "exp");
  const bool sound = text_claim(claims, "iss") == issuer &&
                     text_claim(claims, "typ") == name_of(type) && failed == std::errc() &&
                     end == subject.data() + subject.size() && !token.session_id.empty() &&
                     issued && expires;
  if (!sound || now >= *expires || *issued > now + skew) return std::nullopt;
  token.issued_at = *issued;
  token.expires_at = *expires;
  return token;
}

}  // namespace

Tokens::Tokens(Secret key, const Clock& clock) : key_(std::move(key)), clock_(clock) {
  if (key_.reveal().size() < crypto_auth_hmacsha256_KEYBYTES)
    throw std::invalid_argument("the token key is too short");
}

Secret Tokens::issue(TokenType type, std::int64_t user_id, const std::string& session_id,
                     std::chrono::seconds life) const {
  const std::int64_t now = seconds_of(clock_.now());
  return Secret(sign({{"iss", issuer},
                      {"sub", std::to_string(user_id)},
                      {"sid", session_id},
                      {"typ", name_of(type)},
                      {"iat", now},
                      {"exp", now + life.count()},
                      {"jti", random_text(22)}},
                     key_.reveal()));
}

// Our own tokens have exactly one form, so the header is compared and not interpreted: there is no
// algorithm to choose (RFC 8725, 3.1), and no claim is read before the signature holds.
std::optional<Token> Tokens::verify(std::string_view token, TokenType type) const {
  static const std::string start = base64_url(header) + ".";
  if (token.size() > longest_token || !token.starts_with(start)) return std::nullopt;
  const auto dot = token.rfind('.');
  if (dot < start.size()) return std::nullopt;
  if (!same_secret(signature(token.substr(0, dot), key_.reveal()), token.substr(dot + 1)))
    return std::nullopt;
  const auto claims = decode(token.substr(start.size(), dot - start.size()));
  return claims ? read_claims(*claims, type, clock_.now()) : std::nullopt;
}

std::string service_token(const Service& service, Time now, std::chrono::seconds life) {
  if (!service.secret)
    throw internal("service " + std::to_string(service.id) + " has no secret to sign with");
  return sign({{"iss", issuer},
               {"sub", service.name},
               {"service_id", service.id},
               {"service_name", service.name},
               {"iat", seconds_of(now)},
               {"exp", seconds_of(now) + life.count()},
               {"jti", random_text(22)}},
              service.secret->reveal());
}

}  // namespace mp
