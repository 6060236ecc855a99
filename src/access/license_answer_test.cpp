// What is believed of a licence server's answer, and what is not.
#include "access/license_answer.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <random>

namespace mp {
namespace {

const Time now = *parse_time("2026-03-01T10:00:00Z");
const Secret key("PENG-AAAA-BBBB-CCCC-DDDD-EEEE");

json::object good() {
  return {
      {"valid", true},
      {"message", "License is valid"},
      {"customer", "Example Ltd"},
      {"product", "marchproxy"},
      {"license_key", key.reveal()},
      {"expires_at", "2026-04-01T00:00:00Z"},
      {"issued_at", "2025-01-01T00:00:00Z"},
      {"tier", "enterprise"},
      {"features",
       json::array{json::object{{"name", "unlimited_proxies"}, {"entitled", true}, {"units", 0}},
                   json::object{{"name", "multi_cluster"}, {"entitled", true}, {"units", 0}},
                   json::object{{"name", "zero_trust"}, {"entitled", false}, {"units", 0}},
                   json::object{{"name", "teleportation"}, {"entitled", true}, {"units", 0}}}},
      {"limits", json::object{{"max_servers", 50}, {"max_clusters", 4}, {"max_users", -1}}},
      {"metadata", json::object{{"server_id", "srv-1"}}}};
}

json::object with(std::string_view name, json::value value) {
  json::object answer = good();
  answer[name] = std::move(value);
  return answer;
}

json::object without(std::string_view name) {
  json::object answer = good();
  answer.erase(name);
  return answer;
}

LicenseAnswer read(const json::value& body, int status = 200) {
  return read_license_answer({.status = status, .body = json::serialize(body)}, key, now);
}

TEST(LicenseAnswer, GrantsWhatTheServerGrants) {
  const LicenseAnswer answer = read(good());
  EXPECT_EQ(answer.verdict, LicenseVerdict::Granted);
  EXPECT_EQ(answer.message, "License is valid");
  EXPECT_EQ(answer.tier, LicenseTier::Enterprise);
  EXPECT_TRUE(answer.features.unlimited_proxies);
  EXPECT_TRUE(answer.features.multi_cluster);
  EXPECT_FALSE(answer.features.zero_trust);
  EXPECT_FALSE(answer.features.saml_authentication);
  EXPECT_EQ(answer.max_proxies, 50);
  EXPECT_EQ(answer.max_clusters, 4);
  EXPECT_EQ(answer.expires_at, parse_time("2026-04-01T00:00:00Z"));
  EXPECT_EQ(answer.server_id, "srv-1");
}

TEST(LicenseAnswer, NeedsNoMoreThanWhatCounts) {
  for (const char* name :
       {"message", "customer", "issued_at", "license_key", "limits", "metadata"}) {
    EXPECT_EQ(read(without(name)).verdict, LicenseVerdict::Granted) << name;
  }
  EXPECT_EQ(read(with("license_key", "PENG-****-EEEE")).verdict, LicenseVerdict::Granted);
  EXPECT_EQ(read(with("expires_at", nullptr)).expires_at, std::nullopt);
  EXPECT_EQ(read(with("expires_at", nullptr)).verdict, LicenseVerdict::Granted);
}

TEST(LicenseAnswer, HasLimitsByNumberOrByFeature) {
  const auto limits = [](json::value servers, json::value clusters) {
    return read(with("limits",
                     {{"max_servers", std::move(servers)}, {"max_clusters", std::move(clusters)}}));
  };
  EXPECT_EQ(limits(-1, -1).max_proxies, unlimited);
  EXPECT_EQ(limits(-1, -1).max_clusters, unlimited);
  EXPECT_EQ(limits(nullptr, nullptr).max_proxies, unlimited);
  EXPECT_EQ(limits(1, 0).max_proxies, 3) << "never less than Community";
  EXPECT_EQ(limits(1, 0).max_clusters, 1);
  json::object few = with("features", json::array());
  EXPECT_EQ(read(few).max_proxies, 50) << "a number that was bought counts without the feature";
  EXPECT_EQ(read(few).max_clusters, 1) << "a second cluster is a feature of its own";
  few["limits"] = nullptr;
  EXPECT_EQ(read(few).max_proxies, 3);
}

TEST(LicenseAnswer, OpensNothingForTheCommunityTier) {
  const LicenseAnswer answer = read(with("tier", "community"));
  EXPECT_EQ(answer.verdict, LicenseVerdict::Granted);
  EXPECT_FALSE(answer.features.multi_cluster);
  EXPECT_EQ(answer.max_proxies, 3);
  EXPECT_EQ(answer.max_clusters, 1);
}

TEST(LicenseAnswer, IsRefusedInTheServersWords) {
  EXPECT_EQ(read(json::object{{"message", "License not found"}}, 404).message, "License not found");
  for (const int status : {400, 403, 404}) {
    EXPECT_EQ(read(json::object(), status).verdict, LicenseVerdict::Refused) << status;
    EXPECT_FALSE(read(nullptr, status).message.empty()) << status;
  }
  json::object invalid = with("valid", false);
  invalid["message"] = "Revoked";
  EXPECT_EQ(read(invalid).message, "Revoked");
  EXPECT_EQ(read(json::object{{"valid", false}}).verdict, LicenseVerdict::Refused);
}

TEST(LicenseAnswer, IsRefusedByOurOwnJudgement) {
  EXPECT_EQ(read(with("product", "another")).message, "The license is for another product");
  const LicenseAnswer expired = read(with("expires_at", json::value(to_string(now))));
  EXPECT_EQ(expired.verdict, LicenseVerdict::Refused);
  EXPECT_EQ(expired.message, "The license expired at 2026-03-01T10:00:00Z");
  EXPECT_FALSE(expired.features.multi_cluster) << "it opens nothing";
}

TEST(LicenseAnswer, IsNoneWhenItMakesNoSense) {
  const json::object item{{"name", "multi_cluster"}, {"entitled", "yes"}};
  for (const json::value& body :
       {json::value(),
        json::value("valid"),
        json::value(json::array{good()}),
        json::value(json::object()),
        json::value(with("valid", "true")),
        json::value(with("valid", 1)),
        json::value(without("product")),
        json::value(with("license_key", "PENG-AAAA-BBBB-CCCC-DDDD-EEEF")),
        json::value(with("tier", "platinum")),
        json::value(with("tier", 3)),
        json::value(without("tier")),
        json::value(with("expires_at", "tomorrow")),
        json::value(with("expires_at", 1)),
        json::value(without("expires_at")),
        json::value(without("features")),
        json::value(with("features", json::object())),
        json::value(with("features", json::array{item})),
        json::value(with("features", json::array{"multi_cluster"})),
        json::value(with("features", json::array{json::object{{"entitled", true}}})),
        json::value(with("limits", "many")),
        json::value(with("limits", json::object{{"max_servers", "many"}})),
        json::value(with("limits", json::object{{"max_servers", -2}})),
        json::value(with("limits", json::object{{"max_servers", 1e300}}))}) {
    EXPECT_EQ(read(body).verdict, LicenseVerdict::None) << body;
  }
}

TEST(LicenseAnswer, IsNoneWithoutAnAnswer) {
  EXPECT_EQ(read_license_answer({.failure = "Connection refused"}, key, now).message,
            "Connection refused");
  for (const int status : {201, 204, 301, 307, 401, 429, 500, 503})
    EXPECT_EQ(read(good(), status).verdict, LicenseVerdict::None) << status;
  const std::string deep(40000, '[');
  for (const std::string& text :
       {std::string(), std::string("<html>"), deep, std::string("{\"valid\":tru"),
        std::string("{\"valid\":true}{}"), std::string("\xff\xfe")}) {
    EXPECT_EQ(read_license_answer({.status = 200, .body = text}, key, now).verdict,
              LicenseVerdict::None);
  }
}

TEST(LicenseAnswer, LetsOnlyPlainShortWordsThrough) {
  for (const std::string& words :
       {std::string(201, 'x'), std::string("a\nlevel=error"), std::string("\x1b[2J")}) {
    EXPECT_EQ(read(with("message", json::value(words))).message, "The license is valid");
  }
  for (const std::string& id : {std::string(500, 'x'), std::string("a\0b", 3)})
    EXPECT_EQ(read(with("metadata", json::object{{"server_id", id}})).server_id, "");
}

// Bytes changed, cut and doubled at random, the same in every run.
TEST(LicenseAnswer, IsJudgedWhateverItsBytesAre) {
  std::mt19937 random(7);
  const std::string text = json::serialize(good());
  for (int round = 0; round < 3000; ++round) {
    std::string body = text;
    for (unsigned changes = 1 + random() % 3; changes > 0; --changes) {
      const std::size_t at = random() % body.size();
      const std::size_t length = std::min<std::size_t>(random() % 12, body.size() - at);
      if (random() % 3 == 0)
        body.erase(at, length);
      else if (random() % 2 == 0)
        body.insert(at, body.substr(at, length));
      else
        body[at] = static_cast<char>(random());
      if (body.empty()) body = "{";
    }
    const LicenseAnswer answer = read_license_answer({.status = 200, .body = body}, key, now);
    if (answer.verdict == LicenseVerdict::Granted) {
      EXPECT_GE(answer.max_clusters, unlimited) << body;
      EXPECT_TRUE(!answer.expires_at || *answer.expires_at > now) << body;
    } else {
      EXPECT_FALSE(answer.features.saml_authentication || answer.message.empty()) << body;
    }
  }
}

TEST(LicenseKey, ShowsItsEnd) { EXPECT_EQ(mask_license_key(key), "PENG-****-****-****-****-EEEE"); }

}  // namespace
}  // namespace mp
