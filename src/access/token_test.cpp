#include "access/token.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rhonabwy.h>
#include <boost/json.hpp>

#include <barrier>
#include <filesystem>
#include <memory>
#include <thread>
#include <vector>

#include <stdlib.h>

namespace mp {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

const Time start = *parse_time("2026-01-02T03:04:05Z");

struct Fixture : testing::Test {
  ManualClock clock{start};
  Tokens tokens{Secret(std::string(32, 'k')), clock};
  std::string access() { return tokens.issue(TokenType::Access, 7, "session-1", 3600s).reveal(); }
};
using TokensTest = Fixture;

struct FreeJwt {
  void operator()(jwt_t* jwt) const { r_jwt_free(jwt); }
  void operator()(jwk_t* jwk) const { r_jwk_free(jwk); }
};

// What an independent library reads; empty when it finds the signature wrong.
json::object read_elsewhere(const std::string& token, const std::string& key) {
  jwk_t* raw_key = nullptr;
  jwt_t* raw_token = nullptr;
  r_jwk_init(&raw_key);
  r_jwt_init(&raw_token);
  const std::unique_ptr<jwk_t, FreeJwt> jwk(raw_key);
  const std::unique_ptr<jwt_t, FreeJwt> jwt(raw_token);
  r_jwk_import_from_symmetric_key(raw_key, reinterpret_cast<const unsigned char*>(key.data()),
                                  key.size());
  if (r_jwt_parse(raw_token, token.c_str(), R_FLAG_IGNORE_REMOTE) != RHN_OK) return {};
  if (r_jwt_get_sign_alg(raw_token) != R_JWA_ALG_HS256) return {};
  if (r_jwt_verify_signature(raw_token, raw_key, 0) != RHN_OK) return {};
  char* claims = r_jwt_get_full_claims_str(raw_token);
  auto object = json::parse(claims).as_object();
  r_free(claims);
  return object;
}

// Signs with an independent library.
std::string make_elsewhere(jwa_alg algorithm, const json::object& claims, const std::string& key) {
  jwk_t* raw_key = nullptr;
  jwt_t* raw_token = nullptr;
  r_jwk_init(&raw_key);
  r_jwt_init(&raw_token);
  const std::unique_ptr<jwk_t, FreeJwt> jwk(raw_key);
  const std::unique_ptr<jwt_t, FreeJwt> jwt(raw_token);
  r_jwk_import_from_symmetric_key(raw_key, reinterpret_cast<const unsigned char*>(key.data()),
                                  key.size());
  r_jwt_set_sign_alg(raw_token, algorithm);
  r_jwt_set_full_claims_json_str(raw_token, json::serialize(claims).c_str());
  char* text = r_jwt_serialize_signed(raw_token, raw_key, 0);
  std::string token = text ? text : "";
  r_free(text);
  return token;
}

TEST_F(TokensTest, WhatIsIssuedIsVerified) {
  const auto token = tokens.verify(access(), TokenType::Access);
  ASSERT_TRUE(token);
  EXPECT_EQ(token->user_id, 7);
  EXPECT_EQ(token->session_id, "session-1");
  EXPECT_EQ(token->issued_at, start);
  EXPECT_EQ(token->expires_at, start + 3600s);
  EXPECT_NE(access(), access()) << "each has its own jti";
}

TEST_F(TokensTest, OtherLibrariesReadThem) {
  const auto claims = read_elsewhere(access(), std::string(32, 'k'));
  EXPECT_EQ(claims.at("iss"), "marchproxy");
  EXPECT_EQ(claims.at("sub"), "7");
  EXPECT_EQ(claims.at("sid"), "session-1");
  EXPECT_EQ(claims.at("typ"), "access");
  EXPECT_EQ(claims.at("exp").as_int64() - claims.at("iat").as_int64(), 3600);
  EXPECT_TRUE(claims.contains("jti"));
}

TEST_F(TokensTest, ExpireToTheSecond) {
  const std::string token = access();
  clock.advance(3600s - 1ms);
  EXPECT_TRUE(tokens.verify(token, TokenType::Access));
  clock.advance(1ms);
  EXPECT_FALSE(tokens.verify(token, TokenType::Access));
}

TEST_F(TokensTest, OneTypeIsNotTheOther) {
  EXPECT_FALSE(tokens.verify(access(), TokenType::Refresh));
  const auto refresh = tokens.issue(TokenType::Refresh, 7, "session-1", std::chrono::hours(168));
  EXPECT_FALSE(tokens.verify(refresh.reveal(), TokenType::Access));
  EXPECT_TRUE(tokens.verify(refresh.reveal(), TokenType::Refresh));
}

TEST_F(TokensTest, FromTheFutureIsRefused) {
  const std::string token = access();
  clock.advance(-61s);
  EXPECT_FALSE(tokens.verify(token, TokenType::Access));
  clock.advance(1s);
  EXPECT_TRUE(tokens.verify(token, TokenType::Access)) << "clocks may differ by a minute";
}

TEST_F(TokensTest, AnyChangedByteIsRefused) {
  const std::string token = access();
  for (std::size_t at = 0; at < token.size(); ++at) {
    std::string changed = token;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(tokens.verify(changed, TokenType::Access)) << at;
  }
  EXPECT_FALSE(tokens.verify(token + "A", TokenType::Access));
  EXPECT_FALSE(tokens.verify(token + "=", TokenType::Access));
  EXPECT_FALSE(tokens.verify(token.substr(0, token.size() - 1), TokenType::Access));
  EXPECT_FALSE(tokens.verify(token.substr(0, token.rfind('.') + 1), TokenType::Access));
}

TEST_F(TokensTest, MalformedTextIsRefused) {
  for (const std::string text :
       {"", ".", "..", "...", "a.b.c", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9..", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"}) {
    EXPECT_FALSE(tokens.verify(text, TokenType::Access)) << text;
  }
  EXPECT_FALSE(tokens.verify(std::string(1 << 20, 'A'), TokenType::Access));
}

TEST_F(TokensTest, OtherAlgorithmsAreRefused) {
  const json::object claims{{"iss", "marchproxy"}, {"sub", "7"},        {"sid", "s"},
                            {"typ", "access"},     {"iat", 1767323045}, {"exp", 1999999999}};
  EXPECT_FALSE(tokens.verify(make_elsewhere(R_JWA_ALG_HS512, claims, std::string(32, 'k')),
                             TokenType::Access));
  const std::string body = base64_url(json::serialize(claims));
  EXPECT_FALSE(tokens.verify(base64_url(R"({"alg":"none","typ":"JWT"})") + "." + body + ".",
                             TokenType::Access));
  EXPECT_FALSE(tokens.verify(base64_url(R"({"alg":"none"})") + "." + body, TokenType::Access));
}

TEST_F(TokensTest, OtherKeysAreRefused) {
  const Tokens others(Secret(std::string(32, 'x')), clock);
  EXPECT_FALSE(others.verify(access(), TokenType::Access));
  EXPECT_THROW(Tokens(Secret("short"), clock), std::invalid_argument);
}

TEST_F(TokensTest, ServiceTokensAreNoSessions) {
  Service service{.id = 3, .name = "billing"};
  service.secret = Secret(std::string(32, 'k'));
  EXPECT_FALSE(tokens.verify(service_token(service, start, 3600s), TokenType::Access));
}

TEST(ServiceToken, IsSignedWithTheBytesOfTheSecret) {
  Service service{.id = 3, .name = "billing"};
  service.secret = new_service_secret();
  const std::string token = service_token(service, start + 999ms, 600s);
  EXPECT_TRUE(read_elsewhere(token, "another secret").empty());
  const auto claims = read_elsewhere(token, service.secret->reveal());
  EXPECT_EQ(claims.at("iss"), "marchproxy");
  EXPECT_EQ(claims.at("sub"), "billing");
  EXPECT_EQ(claims.at("service_id"), 3);
  EXPECT_EQ(claims.at("service_name"), "billing");
  EXPECT_EQ(claims.at("iat"), to_milliseconds(start) / 1000);
  EXPECT_EQ(claims.at("exp"), to_milliseconds(start) / 1000 + 600);
  EXPECT_EQ(claims.at("jti").as_string().size(), 22U);
}

TEST(ServiceToken, NeedsASecret) { EXPECT_THROW(service_token(Service{}, start, 600s), Error); }

TEST(Keys, LookAsDocumented) {
  EXPECT_THAT(new_cluster_key().reveal(), testing::MatchesRegex("mp_cluster_[A-Za-z0-9]{43}"));
  EXPECT_THAT(new_service_secret().reveal(), testing::MatchesRegex("[A-Za-z0-9]{43}"));
  EXPECT_FALSE(new_cluster_key() == new_cluster_key());
  EXPECT_EQ(mask_key("mp_cluster_abcdefgh"), "mp_cluster_abcd...");
}

TEST(Keys, OfTheInstallationStay) {
  std::string directory = testing::TempDir() + "keys-XXXXXX";
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  const SystemClock clock;
  std::string first;
  {
    Store store({.url = "sqlite:", .data_dir = directory}, clock);
    const Secret key = load_or_create_key(store, "tokens");
    EXPECT_EQ(key.reveal().size(), 32U);
    EXPECT_TRUE(load_or_create_key(store, "tokens") == key);
    EXPECT_FALSE(load_or_create_key(store, "others") == key);
    std::string stored;
    store.read([&](Reader& db) {
      stored = std::get<std::string>(
          db.query("SELECT value FROM meta WHERE key = 'tokens'", {}, {Column::Text}).at(0).at(0));
    });
    EXPECT_EQ(stored.find(key.reveal()), std::string::npos);
    first = key.reveal();
  }
  {
    Store store({.url = "sqlite:", .data_dir = directory}, clock);
    EXPECT_EQ(load_or_create_key(store, "tokens").reveal(), first);
  }
  std::filesystem::remove_all(directory);
}

TEST(Keys, TheFirstMakerWins) {
  std::string directory = testing::TempDir() + "keys-XXXXXX";
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  const SystemClock clock;
  std::vector<std::string> seen(8);
  {
    Store store({.url = "sqlite:", .data_dir = directory}, clock);
    std::barrier together(static_cast<std::ptrdiff_t>(seen.size()));
    std::vector<std::thread> makers;
    for (std::string& key : seen) {
      makers.emplace_back([&] {
        together.arrive_and_wait();
        key = load_or_create_key(store, "tokens").reveal();
      });
    }
    for (std::thread& maker : makers) maker.join();
  }
  EXPECT_THAT(seen, testing::Each(seen.front()));
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace mp
