// Header values are bytes; those that are kept must be text, on either database.
#include "stage.hpp"

#include <gtest/gtest.h>

namespace mp::test {
namespace {

struct HeaderBytes : testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Databases, HeaderBytes, testing::Values("sqlite", "postgresql"),
                         [](const auto& each) { return std::string(each.param); });

TEST_P(HeaderBytes, of_an_idempotency_key_must_be_text) {
  Stage stage(GetParam(), {});
  stage.token("admin");
  const auto status = [&](const std::string& key) {
    http::Request request{
        .method = "POST",
        .target = "/api/v1/services",
        .headers = {{"Content-Type", "application/json"}, {"Idempotency-Key", key}},
        .body = R"({"name": "a", "ip_fqdn": "10.0.0.1", "collection": "c", "cluster_id": 1})",
        .peer = ""};
    const auto response = stage.ask(std::move(request), {As::Kind::User, "admin"});
    EXPECT_EQ(response.body.find("Idempotency-Key") != std::string::npos, response.status == 400);
    return response.status;
  };
  EXPECT_EQ(status("a\xFF\xFE"), 400);
  EXPECT_EQ(status("é"), 201);
  EXPECT_EQ(status("é"), 201);  // the same again
}

}  // namespace
}  // namespace mp::test
