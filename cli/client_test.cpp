#include "cli/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json.hpp>

namespace mp::cli {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

HttpReply reply(long status, std::string body,
                std::vector<std::pair<std::string, std::string>> headers = {}) {
  return {.status = status, .headers = std::move(headers), .body = std::move(body)};
}

HttpReply fine(const std::string& data = "{}") {
  return reply(200, R"({"success":true,"data":)" + data + R"(,"message":"done"})");
}

HttpReply refusal(long status) {
  return reply(status,
               R"({"success":false,"error":{"code":"SOME_CODE","message":"No","details":{}}})");
}

// Answers in order and keeps what was asked.
class Script final : public Transport {
 public:
  HttpReply send(const HttpRequest& request) override {
    asked.push_back(request);
    if (replies.empty()) return {.failure = "no more replies"};
    HttpReply next = replies.front();
    replies.erase(replies.begin());
    return next;
  }
  std::vector<HttpReply> replies;
  std::vector<HttpRequest> asked;
};

class ClientTest : public ::testing::Test {
 protected:
  Client client(std::chrono::seconds patience = 60s) {
    return {Outside{.transport = script,
                    .clock = clock,
                    .pause = [this](std::chrono::milliseconds time) { pauses.push_back(time); },
                    .note = [this](const std::string& line) { notes.push_back(line); },
                    .renewed = [this](const Account& account) { renewed.push_back(account); }},
            account, patience};
  }

  static std::string key_of(const HttpRequest& request) {
    for (const auto& header : request.headers) {
      if (header.starts_with("Idempotency-Key: ")) return header;
    }
    return "";
  }

  Script script;
  ManualClock clock{from_milliseconds(1'700'000'000'000)};
  Account account{.server = "http://m:1",
                  .access_token = Secret("old"),
                  .access_until = from_milliseconds(1'700'000'600'000),
                  .refresh_token = Secret("fresh")};
  std::vector<std::chrono::milliseconds> pauses;
  std::vector<std::string> notes;
  std::vector<Account> renewed;
};

TEST_F(ClientTest, ReadsTheEnvelopeAndHeaders) {
  script.replies = {
      reply(200, R"({"success":true,"data":{"id":3},"message":"m"})",
            {{"etag", "\"4-live\""}, {"x-config-revision", "12"}, {"x-config-status", "live"}})};
  const Answer answer = client().call({.method = "PUT",
                                       .path = "/services/3",
                                       .query = {{"a b", "c&d"}},
                                       .body = json::object{{"x", 1}},
                                       .if_match = "4",
                                       .wait = 5});
  EXPECT_EQ(answer.data, (json::value{{"id", 3}}));
  EXPECT_EQ(answer.etag, "4-live");
  EXPECT_EQ(answer.revision, 12);
  EXPECT_EQ(answer.config_status, "live");
  ASSERT_EQ(script.asked.size(), 1U);
  EXPECT_EQ(script.asked[0].url, "http://m:1/api/v1/services/3?a%20b=c%26d");
  EXPECT_EQ(script.asked[0].body, R"({"x":1})");
  EXPECT_THAT(script.asked[0].headers, Contains("Authorization: Bearer old"));
  EXPECT_THAT(script.asked[0].headers, Contains("If-Match: \"4\""));
  EXPECT_THAT(script.asked[0].headers, Contains("Prefer: wait=5"));
  EXPECT_EQ(key_of(script.asked[0]), "");
}

TEST_F(ClientTest, RefusalsShowTheirViolations) {
  script.replies = {reply(400, R"({"success":false,"error":{"code":"VALIDATION_ERROR",
      "message":"Invalid input parameters","details":{"field":"name"},
      "violations":[{"field":"name","issue":"Is required"},
                    {"field":"port","issue":"Must be at most 65535","provided":70000}]}})")};
  try {
    client().get("/x");
    FAIL();
  } catch (const Refused& refused) {
    EXPECT_EQ(refused.exit, Exit::Refused);
    EXPECT_EQ(refused.status, 400);
    EXPECT_STREQ(refused.what(), "Invalid input parameters (VALIDATION_ERROR)");
    EXPECT_THAT(refused.lines,
                ElementsAre("name: Is required", "port: Must be at most 65535 (it was 70000)"));
  }
}

TEST_F(ClientTest, NoAnswerAndForeignAnswersAreUnreachable) {
  script.replies = {{.failure = "refused"}, reply(200, "<html>"), reply(502, "<html>")};
  for (int number = 0; number < 2; ++number) {
    try {
      client(0s).get("/x");
      FAIL();
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.exit, Exit::Unreachable);
    }
  }
}

TEST_F(ClientTest, WaitsAsLongAsTheServerAsksAndSendsTheSameKey) {
  script.replies = {reply(429, refusal(429).body, {{"retry-after", "7"}}), refusal(503), fine()};
  client().call({.method = "POST", .path = "/services", .body = json::object()});
  EXPECT_THAT(pauses, ElementsAre(7000ms, 400ms));
  EXPECT_THAT(notes, ElementsAre(StartsWith("the server answered 429, trying again in 7 s"),
                                 StartsWith("the server answered 503")));
  EXPECT_NE(key_of(script.asked[0]), "");
  EXPECT_EQ(key_of(script.asked[0]), key_of(script.asked[2]));
}

TEST_F(ClientTest, DoesNotWaitLongerThanItMay) {
  script.replies = {reply(429, refusal(429).body, {{"retry-after", "61"}})};
  EXPECT_THROW(client().get("/x"), Refused);
  EXPECT_THAT(pauses, IsEmpty());
}

TEST_F(ClientTest, TriesBrokenServersAFewTimesOnly) {
  script.replies.assign(20, refusal(503));
  EXPECT_THROW(client().get("/x"), Refused);
  EXPECT_EQ(script.asked.size(), 5U);
}

// The first try may have been carried out: with If-Match the second would be refused wrongly.
TEST_F(ClientTest, AConditionalChangeIsNotRepeatedAfterALostAnswer) {
  script.replies = {refusal(502), fine()};
  EXPECT_THROW(client().call({.method = "PUT", .path = "/x", .if_match = "1"}), Refused);
  script.replies = {refusal(502), fine()};
  EXPECT_NO_THROW(client().call({.method = "PUT", .path = "/x"}));
}

TEST_F(ClientTest, WhatALostDeletionDeletedIsDeleted) {
  script.replies = {refusal(504), refusal(404)};
  EXPECT_NO_THROW(client().call({.method = "DELETE", .path = "/x"}));
  script.replies = {refusal(503), refusal(404)};
  EXPECT_THROW(client().call({.method = "DELETE", .path = "/x"}), Refused);
}

TEST_F(ClientTest, RenewsTheTokenBeforeItsEnd) {
  clock.advance(580s);
  script.replies = {fine(R"({"access_token":"new","expires_in":3600})"), fine()};
  client().get("/x");
  EXPECT_EQ(script.asked[0].url, "http://m:1/api/v1/auth/refresh");
  EXPECT_EQ(script.asked[0].body, R"({"refresh_token":"fresh"})");
  EXPECT_THAT(script.asked[1].headers, Contains("Authorization: Bearer new"));
  ASSERT_EQ(renewed.size(), 1U);
  EXPECT_EQ(renewed[0].access_until, clock.now() + 3600s);
}

TEST_F(ClientTest, RenewsARefusedTokenOnce) {
  script.replies = {refusal(401), fine(R"({"access_token":"new","expires_in":3600})"),
                    refusal(401)};
  EXPECT_THROW(client().get("/x"), Refused);
  EXPECT_EQ(script.asked.size(), 3U);
}

TEST_F(ClientTest, AnEndedSessionSaysSo) {
  script.replies = {refusal(401), refusal(401)};
  try {
    client().get("/x");
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_THAT(failure.what(), StartsWith("the session has ended"));
  }
}

TEST_F(ClientTest, AnApiKeyIsNotRenewed) {
  account.refresh_token = Secret();
  script.replies = {refusal(401)};
  EXPECT_THROW(client().get("/x"), Refused);
  EXPECT_EQ(script.asked.size(), 1U);
}

}  // namespace
}  // namespace mp::cli
