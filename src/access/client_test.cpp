#include "access/client.hpp"

#include <gtest/gtest.h>

namespace mp {
namespace {

const TrustedProxies proxies({"10.0.0.0/8", "2001:db8:1::/48"});

std::string client(std::string_view peer, std::vector<std::string_view> forwarded) {
  return proxies.client(peer, forwarded);
}

TEST(Client, is_the_peer_that_is_not_trusted_whatever_it_claims) {
  EXPECT_EQ(client("192.0.2.1", {}), "192.0.2.1");
  EXPECT_EQ(client("192.0.2.1", {"198.51.100.7"}), "192.0.2.1");
  EXPECT_EQ(TrustedProxies({}).client("192.0.2.1", std::vector<std::string_view>{"10.0.0.1"}),
            "192.0.2.1");
}

TEST(Client, is_the_last_hop_that_is_not_trusted) {
  EXPECT_EQ(client("10.0.0.1", {"198.51.100.7"}), "198.51.100.7");
  EXPECT_EQ(client("10.0.0.1", {"203.0.113.9, 198.51.100.7"}), "198.51.100.7") << "made up before";
  EXPECT_EQ(client("10.0.0.1", {"203.0.113.9,198.51.100.7 , 10.9.9.9"}), "198.51.100.7");
  EXPECT_EQ(client("10.0.0.1", {"203.0.113.9", "198.51.100.7", "10.9.9.9"}), "198.51.100.7")
      << "several headers are one list";
  EXPECT_EQ(client("2001:db8:1::5", {"2001:DB8:2::0:7"}), "2001:db8:2::7");
  EXPECT_EQ(client("::ffff:10.0.0.1", {"198.51.100.7"}), "198.51.100.7") << "a dual-stack socket";
}

TEST(Client, is_a_proxy_where_the_trail_ends) {
  EXPECT_EQ(client("10.0.0.1", {}), "10.0.0.1");
  EXPECT_EQ(client("10.0.0.1", {"10.0.0.3, 10.0.0.2"}), "10.0.0.3");
  EXPECT_EQ(client("10.0.0.1", {"198.51.100.7, unknown"}), "10.0.0.1");
  EXPECT_EQ(client("10.0.0.1", {"198.51.100.7,"}), "10.0.0.1") << "an empty hop is no address";
  EXPECT_EQ(client("10.0.0.1", {"198.51.100.7, _hidden, 10.0.0.2"}), "10.0.0.2");
}

TEST(Client, may_come_with_a_port) {
  EXPECT_EQ(client("10.0.0.1", {"198.51.100.7:4711"}), "198.51.100.7");
  EXPECT_EQ(client("10.0.0.1", {"[2001:db8:2::7]:4711"}), "2001:db8:2::7");
  EXPECT_EQ(client("10.0.0.1", {"[2001:db8:2::7"}), "10.0.0.1");
}

TEST(Client, has_an_ipv4_address_or_a_64_to_himself) {
  EXPECT_EQ(client_network("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(client_network("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(client_network("2001:db8:0:7:1:2:3:4"), "2001:db8:0:7::/64");
  EXPECT_EQ(client_network("2001:db8:0:7::"), client_network("2001:db8:0:7:ffff::1"));
  EXPECT_NE(client_network("2001:db8:0:7::"), client_network("2001:db8:0:8::"));
  EXPECT_EQ(client_network("@"), "@");
}

}  // namespace
}  // namespace mp
