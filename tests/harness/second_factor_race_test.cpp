// One code of a second factor, many sign-ins at the same moment, at one manager or two: one wins.
#include "access/totp.hpp"
#include "stage.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <algorithm>
#include <future>
#include <thread>

namespace mp::test {
namespace {

namespace json = boost::json;

constexpr int rivals = 6;

class Rivals : public testing::TestWithParam<std::string> {
 protected:
  json::value made(const std::string& target, const json::object& body) {
    const auto answer = stage.ask("POST", "/api/v1/auth/" + target, {As::Kind::User, "olga"},
                                  json::serialize(body));
    EXPECT_EQ(answer.status, 200) << answer.body;
    return json::parse(answer.body).at("data");
  }

  // The statuses of as many sign-ins with this code, at the managers in turn.
  std::vector<int> sign_in(const std::vector<http::Handler*>& managers, const std::string& code) {
    const http::Request request{
        .method = "POST",
        .target = "/api/v1/auth/login",
        .headers = {{"Content-Type", "application/json"}},
        .body = json::serialize(json::object{
            {"username", "olga"}, {"password", Stage::password()}, {"totp_code", code}}),
        .peer = "192.0.2.1"};
    std::vector<std::promise<int>> answers(rivals);
    std::vector<std::thread> threads;
    for (int each = 0; each < rivals; ++each) {
      http::Handler& manager = *managers[static_cast<std::size_t>(each) % managers.size()];
      threads.emplace_back([&request, &manager, &answer = answers[static_cast<std::size_t>(each)]] {
        manager.handle(request,
                       [&answer](http::Response response) { answer.set_value(response.status); });
      });
    }
    std::vector<int> statuses;
    for (auto& answer : answers) statuses.push_back(answer.get_future().get());
    for (auto& thread : threads) thread.join();
    return statuses;
  }

  Stage stage{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Both, Rivals, testing::Values("sqlite", "postgresql"),
                         [](const auto& parameter) { return parameter.param; });

TEST_P(Rivals, OfSignInsWithTheSameCodeOneWins) {
  stage.add_user({.name = "olga"});
  const auto setup = made("2fa/enable", {{"password", Stage::password()}});
  const Secret secret = parse_totp_secret(setup.at("secret").as_string());
  const Time now = stage.clock().now();
  const auto code = [&](int steps) {
    return totp_code(secret, now + steps * std::chrono::seconds(30));
  };
  made("2fa/verify", {{"totp_code", code(-1)}});
  // SQLite belongs to one manager.
  const auto other = GetParam() == "postgresql" ? stage.another() : nullptr;
  std::vector<http::Handler*> managers{&stage.manager().handler()};
  if (other) managers.push_back(&other->handler());
  const std::string backup(setup.at("backup_codes").at(0).as_string());
  for (const std::string& each : {code(0), code(1), backup}) {
    const auto statuses = sign_in(managers, each);
    EXPECT_EQ(std::ranges::count(statuses, 200), 1);
    stage.clock().advance(std::chrono::seconds(5));  // those who lost have waited
  }
}

}  // namespace
}  // namespace mp::test
