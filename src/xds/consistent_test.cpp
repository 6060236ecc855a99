#include "xds/consistent.hpp"

#include "xds/config_fixture.hpp"
#include "xds/encode.hpp"

#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/listener/v3/listener.pb.h"
#include "envoy/config/route/v3/scoped_route.pb.h"

#include <gmock/gmock.h>

namespace mp::xds {
namespace {

using envoy::config::cluster::v3::Cluster;
using envoy::config::listener::v3::Listener;
using envoy::config::route::v3::ScopedRouteConfiguration;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Snapshot sound() {
  Intent intent;
  for (const char* name : {"a", "b"}) intent.service({{"name", name}});
  intent.mapping({{"dest_services", {"collection:all"}}, {"protocols", {"http", "tcp"}}});
  return *intent.build();
}

Resources& of(Snapshot& snapshot, Type type) {
  return snapshot.types[static_cast<std::size_t>(type)];
}

// What was wrong, is right again when the next snapshot is sound.
void expect_breach(const Snapshot& broken, const std::string& text) {
  EXPECT_THAT(inconsistencies(broken), testing::Contains(HasSubstr(text)));
  Consistency consistency;
  EXPECT_THAT(consistency.check(sound()), IsEmpty());
  EXPECT_THAT(consistency.check(broken), testing::Contains(HasSubstr(text)));
  EXPECT_THAT(consistency.check(sound()), IsEmpty());
}

TEST(Consistency, ASoundSnapshotHasNoBreach) { EXPECT_THAT(inconsistencies(sound()), IsEmpty()); }

TEST(Consistency, MissingCluster) {
  Snapshot snapshot = sound();
  of(snapshot, Type::Cluster).erase(of(snapshot, Type::Cluster).begin());
  expect_breach(snapshot, "is needed and missing");
}

TEST(Consistency, MissingEndpoints) {
  Snapshot snapshot = sound();
  of(snapshot, Type::Endpoint).clear();
  expect_breach(snapshot, "endpoints \"service/1/80\" is needed and missing");
}

TEST(Consistency, EndpointsOfNoCluster) {
  Snapshot snapshot = sound();
  of(snapshot, Type::Cluster).clear();
  expect_breach(snapshot, "belongs to no cluster");
}

TEST(Consistency, NameTwice) {
  Snapshot snapshot = sound();
  auto& clusters = of(snapshot, Type::Cluster);
  clusters.insert(clusters.begin(), clusters.front());
  expect_breach(snapshot, "cluster: a name stands twice");
}

TEST(Consistency, OutOfOrder) {
  Snapshot snapshot = sound();
  std::ranges::reverse(of(snapshot, Type::Cluster));
  expect_breach(snapshot, "out of order");
}

void replace(Snapshot& snapshot, Type type, const std::string& name,
             const google::protobuf::Message& message) {
  for (ResourcePtr& resource : of(snapshot, type)) {
    if (resource->name == name) resource = make_resource(name, pack(message), {});
  }
}

TEST(Consistency, RulesOfTheDefinitions) {
  Snapshot snapshot = sound();
  Cluster cluster;
  cluster.set_name("service/1/80");
  cluster.set_type(Cluster::EDS);
  cluster.add_health_checks()->mutable_timeout()->set_seconds(1);
  replace(snapshot, Type::Cluster, "service/1/80", cluster);
  const auto breaches = inconsistencies(snapshot);
  EXPECT_THAT(breaches, testing::Contains(HasSubstr("health_checks[0].interval is required")));
  EXPECT_THAT(breaches, testing::Contains(HasSubstr("health_checks[0] lacks health_checker")));
}

TEST(Consistency, PortOutOfRange) {
  Snapshot snapshot = sound();
  Listener listener;
  listener.set_name("tcp/80");
  listener.mutable_address()->mutable_socket_address()->set_address("0.0.0.0");
  listener.mutable_address()->mutable_socket_address()->set_port_value(70000);
  replace(snapshot, Type::Listener, "tcp/80", listener);
  const auto breaches = inconsistencies(snapshot);
  EXPECT_THAT(breaches, testing::Contains(HasSubstr("port_value is out of its limits")));
  EXPECT_THAT(breaches, testing::Contains(HasSubstr("no filter chains")));
}

TEST(Consistency, AnotherName) {
  Snapshot snapshot = sound();
  Cluster cluster;
  cluster.set_name("other");
  replace(snapshot, Type::Cluster, "service/1/80", cluster);
  expect_breach(snapshot, "has another name");
}

TEST(Consistency, OneKeyForTwoScopes) {
  Snapshot snapshot = sound();
  auto& scopes = of(snapshot, Type::ScopedRoute);
  google::protobuf::Any any;
  ASSERT_TRUE(any.ParseFromString(scopes.front()->body));
  ScopedRouteConfiguration scope;
  ASSERT_TRUE(any.UnpackTo(&scope));
  scopes.push_back(make_resource("z", pack(scope), {}));
  expect_breach(snapshot, "two scopes have the key");
}

}  // namespace
}  // namespace mp::xds
