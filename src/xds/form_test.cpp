#include "xds/form.hpp"

#include <gtest/gtest.h>

namespace mp::xds {
namespace {

TEST(Form, OldEnvoysGetRouteConfigurations) {
  for (const char* version : {"1.36.4", "1.37.0", "1.9.1", "0.1.0", "1.39"})
    EXPECT_EQ(route_form(Flavour::Delta, version), Flavour::StateOfTheWorld) << version;
  for (const char* version : {"1.40.0", "1.41.2", "2.0.0", "", "main", "1", "1.", "-", "0.0.0"})
    EXPECT_EQ(route_form(Flavour::Delta, version), Flavour::Delta) << version;
  EXPECT_EQ(route_form(Flavour::StateOfTheWorld, "1.40.0"), Flavour::StateOfTheWorld);
}

TEST(Form, KnowsWhoCallsServicesItself) {
  Request listeners;
  listeners.type_url = type_url(Type::Listener);
  Request named = listeners;
  named.subscribe = {"shop"};
  Request all = listeners;
  all.subscribe = {"*", "shop"};
  EXPECT_TRUE(is_proxyless({.proxy_type = "grpc"}, {}));
  EXPECT_TRUE(is_proxyless({.user_agent = "gRPC C-core linux"}, listeners));
  EXPECT_TRUE(is_proxyless({.user_agent = "grpc-node-js"}, {}));
  EXPECT_TRUE(is_proxyless({}, named));
  EXPECT_FALSE(is_proxyless({.user_agent = "envoy"}, named));
  EXPECT_FALSE(is_proxyless({}, listeners));
  EXPECT_FALSE(is_proxyless({}, all));
  named.type_url = type_url(Type::Cluster);
  EXPECT_FALSE(is_proxyless({.proxy_type = "egress"}, named));
}

}  // namespace
}  // namespace mp::xds
