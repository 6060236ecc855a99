#include "model/network.hpp"

#include "model/quota.hpp"

#include <gtest/gtest.h>

namespace mp {
namespace {

bool holds(const char* network, const char* address) {
  return Network::parse(network).value().contains(address_bytes(address).value());
}

TEST(Network, holds_the_addresses_of_its_prefix) {
  EXPECT_TRUE(holds("10.0.0.0/8", "10.255.0.1"));
  EXPECT_FALSE(holds("10.0.0.0/8", "11.0.0.0"));
  EXPECT_TRUE(holds("192.168.4.0/22", "192.168.7.255"));
  EXPECT_FALSE(holds("192.168.4.0/22", "192.168.8.0"));
  EXPECT_TRUE(holds("192.0.2.1", "192.0.2.1"));
  EXPECT_FALSE(holds("192.0.2.1", "192.0.2.2"));
  EXPECT_TRUE(holds("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(holds("2001:db8::/33", "2001:db8:8000::1"));
  EXPECT_TRUE(holds("0.0.0.0/0", "203.0.113.9"));
  EXPECT_FALSE(holds("0.0.0.0/0", "2001:db8::1")) << "all of IPv4 is not all";
  EXPECT_TRUE(holds("::/0", "203.0.113.9"));
}

TEST(Network, takes_an_ipv4_address_in_ipv6_dress_for_the_same) {
  EXPECT_TRUE(holds("10.0.0.0/8", "::ffff:10.1.2.3"));
  EXPECT_TRUE(is_ipv4(*address_bytes("::ffff:10.1.2.3")));
  EXPECT_FALSE(is_ipv4(*address_bytes("::10.1.2.3")));
}

TEST(Network, refuses_what_is_none) {
  for (const char* text : {"", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08",
                           "10.0.0/8", "::/129", "fe80::1%eth0/64", "10.0.0.0/8 ", "host/8"}) {
    EXPECT_FALSE(Network::parse(text)) << text;
  }
}

TEST(Quota, is_a_number_and_a_unit) {
  const auto quota = parse_quota("1000/hour");
  ASSERT_TRUE(quota);
  EXPECT_EQ(quota->requests, 1000);
  EXPECT_EQ(quota->window, std::chrono::hours(1));
  EXPECT_EQ(parse_quota("1/day")->window, std::chrono::hours(24));
  EXPECT_EQ(parse_quota("1000000000/second")->requests, 1'000'000'000);
  for (const char* text :
       {"", "5", "/minute", "5/", "0/minute", "05/minute", "-5/minute", "+5/minute", "5/minutes",
        "5/Minute", "5 /minute", "1000000001/second", "99999999999999999999/second", "off"}) {
    EXPECT_FALSE(parse_quota(text)) << text;
  }
}

}  // namespace
}  // namespace mp
