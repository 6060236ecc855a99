// Requests that change one object at the same time. Without If-Match each is applied to the object
// as it then is; nobody is told of a precondition that he never set.
#include "form.hpp"
#include "stage.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <atomic>
#include <thread>
#include <vector>

namespace mp::test {
namespace {

class Together : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Both, Together, testing::Values("sqlite", "postgresql"), kind_name);

// Setting a password takes tens of milliseconds: the other changes come in between.
TEST_P(Together, changes_of_a_user_that_overlap_are_all_made) {
  Stage stage(GetParam());
  const auto id = stage.add_user({.name = "olga"});
  const std::string path = "/api/v1/users/" + std::to_string(id);
  const As admin{As::Kind::Token, stage.token("admin")};
  std::atomic<bool> done = false;
  std::thread passwords([&] {
    for (int round = 0; round < 3; ++round) {
      const std::string body =
          R"({"password": "Green-Harbour-)" + std::to_string(round) + R"(-Lanterns"})";
      EXPECT_EQ(stage.ask("PUT", path, admin, body).status, 200);
    }
    done = true;
  });
  int made = 0;
  do {
    const std::string email = "olga" + std::to_string(++made) + "@example.com";
    const auto answer = stage.ask("PUT", path, admin, R"({"email": ")" + email + "\"}");
    EXPECT_EQ(answer.status, 200) << answer.body;
  } while (!done && made < 1000);
  passwords.join();
  const auto user = boost::json::parse(stage.ask("GET", path, admin).body).at("data");
  EXPECT_EQ(std::string(user.at("email").as_string()),
            "olga" + std::to_string(made) + "@example.com");
  const auto login = stage.ask("POST", "/api/v1/auth/login", {},
                               R"({"username": "olga", "password": "Green-Harbour-2-Lanterns"})");
  EXPECT_EQ(login.status, 200) << "no change undid the other";
}

// Files are judged for milliseconds before the write, in which a renewal may come.
TEST_P(Together, changes_of_a_certificate_that_overlap_are_all_made) {
  Stage stage(GetParam());
  stage.license({.expires_at = stage.clock().now() + std::chrono::hours(24)});
  const As admin{As::Kind::Token, stage.token("admin")};
  const auto made = stage.ask("POST", "/api/v1/certificates/generate-wildcard", admin,
                              R"({"domain": "company.com"})");
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string path = "/api/v1/certificates/1";
  std::atomic<bool> done = false;
  std::thread renewals([&] {
    while (!done) EXPECT_EQ(stage.ask("POST", path + "/renew", admin).status, 200);
  });
  for (int round = 0; round < 40; ++round) {
    const std::string name = "name " + std::to_string(round);
    const auto answer = stage.ask({.method = "PUT",
                                   .target = path,
                                   .headers = {{"Content-Type", form_type}},
                                   .body = form_body({{.name = "name", .content = name}})},
                                  admin);
    EXPECT_EQ(answer.status, 200) << answer.body;
  }
  done = true;
  renewals.join();
  const auto kept = boost::json::parse(stage.ask("GET", path, admin).body).at("data");
  EXPECT_EQ(kept.at("name"), "name 39");
}

// An admin who is none any more: what he asked before, and what waits for its password to be
// hashed, is not done afterwards.
TEST_P(Together, what_waits_is_not_done_for_who_has_lost_his_rights) {
  Stage stage(GetParam());
  const auto id = stage.add_user({.name = "root", .is_admin = true});
  const As root{As::Kind::Token, stage.token("root")};
  const As admin{As::Kind::Token, stage.token("admin")};
  std::atomic<int> made = 0, refused = 0;
  std::atomic<bool> demoted = false;
  std::vector<std::thread> makers;
  for (int maker = 0; maker < 4; ++maker) {
    makers.emplace_back([&, maker] {
      for (int round = 0; !demoted; ++round) {
        const std::string name = "made-" + std::to_string(maker) + "-" + std::to_string(round);
        const std::string body = R"({"username": ")" + name + R"(", "email": ")" + name +
                                 R"(@example.com", "password": "Green-Harbour-7-Lanterns"})";
        const int status = stage.ask("POST", "/api/v1/users", root, body).status;
        ++(status == 201 ? made : refused);
      }
    });
  }
  while (made == 0 && refused < 100) std::this_thread::yield();
  const auto count = [&] {
    const auto answer = stage.ask("GET", "/api/v1/users?limit=1", admin);
    return boost::json::parse(answer.body).at("data").at("total").as_int64();
  };
  const std::string path = "/api/v1/users/" + std::to_string(id);
  EXPECT_EQ(stage.ask("PATCH", path, admin, R"({"is_admin": false})").status, 200);
  const auto then = count();
  while (refused == 0) std::this_thread::yield();
  demoted = true;
  for (auto& maker : makers) maker.join();
  EXPECT_EQ(count(), then);
}

}  // namespace
}  // namespace mp::test
