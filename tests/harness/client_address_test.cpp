// Whose address the change log keeps.
#include "stage.hpp"

#include <gtest/gtest.h>

namespace mp::test {
namespace {

std::string logged_address(std::map<std::string, std::string> settings) {
  Stage stage("sqlite", std::move(settings));
  stage.token("admin");
  const std::int64_t revision = stage.revision();
  http::Request request{
      .method = "POST",
      .target = "/api/v1/services",
      .headers = {{"Content-Type", "application/json"},
                  {"X-Forwarded-For", "203.0.113.9, 198.51.100.7"}},
      .body = R"({"name": "a", "ip_fqdn": "10.0.0.1", "collection": "c", "cluster_id": 1})",
      .peer = ""};
  EXPECT_EQ(stage.ask(std::move(request), {As::Kind::User, "admin"}).status, 201);
  return stage.changes_after(revision).at(0).actor.address;
}

// The stage's requests come from 192.0.2.1.
TEST(ClientAddress, is_the_peers_unless_that_is_a_trusted_proxy) {
  EXPECT_EQ(logged_address({}), "192.0.2.1");
  EXPECT_EQ(logged_address({{"trusted_proxies", "192.0.2.0/24"}}), "198.51.100.7");
  EXPECT_EQ(logged_address({{"trusted_proxies", "192.0.2.0/24,198.51.100.0/24"}}), "203.0.113.9");
}

}  // namespace
}  // namespace mp::test
