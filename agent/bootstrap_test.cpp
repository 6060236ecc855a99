#include "agent/bootstrap.hpp"

#include <gtest/gtest.h>

namespace mp::agent {
namespace {

constexpr const char* whole =
    R"({"node":{"id":"p-1","cluster":"c","metadata":{"proxy_type":"egress"}},
  "admin":{"address":{"socket_address":{"address":"127.0.0.1","port_value":9901}}}})";

TEST(ReadBootstrap, FindsWhatTheAgentNeeds) {
  const Bootstrap bootstrap = read_bootstrap(whole);
  EXPECT_EQ(bootstrap.proxy_id, "p-1");
  EXPECT_EQ(bootstrap.proxy_type, "egress");
  EXPECT_EQ(bootstrap.admin, "127.0.0.1:9901");
  EXPECT_EQ(bootstrap.text, whole);
}

TEST(ReadBootstrap, ReachesAnAdminInterfaceOnAnyAddressByLoopback) {
  EXPECT_EQ(
      read_bootstrap(
          R"({"node":{"id":"p"},"admin":{"address":{"socket_address":{"address":"0.0.0.0","port_value":1}}}})")
          .admin,
      "127.0.0.1:1");
  EXPECT_EQ(
      read_bootstrap(
          R"({"node":{"id":"p"},"admin":{"address":{"socket_address":{"address":"::","port_value":1}}}})")
          .admin,
      "[::1]:1");
}

TEST(ReadBootstrap, KnowsThatThereIsNoAdminInterface) {
  EXPECT_EQ(read_bootstrap(R"({"node":{"id":"p"}})").admin, "");
}

TEST(ReadBootstrap, RefusesWhatEnvoyCouldNotStartFrom) {
  EXPECT_THROW(read_bootstrap(""), BadBootstrap);
  EXPECT_THROW(read_bootstrap("<html>"), BadBootstrap);
  EXPECT_THROW(read_bootstrap("[]"), BadBootstrap);
  EXPECT_THROW(read_bootstrap(R"({"node":{}})"), BadBootstrap);
}

TEST(SameBootstrap, IgnoresOrderAndSpacesOnly) {
  const Bootstrap one = read_bootstrap(R"({"node":{"id":"p","cluster":"c"},"x":1})");
  EXPECT_TRUE(
      same_bootstrap(one, read_bootstrap(R"({ "x": 1, "node": {"cluster":"c", "id":"p"} })")));
  EXPECT_FALSE(same_bootstrap(one, read_bootstrap(R"({"node":{"id":"p","cluster":"c"},"x":2})")));
}

}  // namespace
}  // namespace mp::agent
