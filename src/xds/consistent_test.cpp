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

Catalogue& of(Snapshot& snapshot, Type type) {
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
  of(snapshot, Type::Cluster).erase("service/1/80");
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

void replace(Snapshot& snapshot, Type type, const std::string& name,
             const google::protobuf::Message& message) {
  of(snapshot, type).put(make_resource(name, pack(message), {}));
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
  ASSERT_TRUE(any.ParseFromString(scopes[0]->body));
  ScopedRouteConfiguration scope;
  ASSERT_TRUE(any.UnpackTo(&scope));
  scopes.put(make_resource("z", pack(scope), {}));
  expect_breach(snapshot, "two scopes have the key");
}

class TlsConsistency : public testing::Test {
 protected:
  TlsConsistency() {
    Intent intent;
    intent.service({{"name", "a"}, {"ip_fqdn", "a.test"}});
    intent.service({{"name", "b"}, {"ip_fqdn", "b.test"}});
    intent.certificate({{"subject_alt_names", {"a.test"}}});
    for (const char* name : {"a", "b"}) {
      intent.mapping(
          {{"dest_services", {name}}, {"protocols", {"http", "https"}}, {"ports", {443}}});
    }
    snapshot = *intent.build();
    google::protobuf::Any any;
    EXPECT_TRUE(any.ParseFromString(of(snapshot, Type::Listener)[0]->body));
    EXPECT_TRUE(any.UnpackTo(&listener));
  }
  void expect_listener_breach(const std::string& text) {
    EXPECT_THAT(inconsistencies(snapshot), IsEmpty());
    replace(snapshot, Type::Listener, "tcp/443", listener);
    EXPECT_THAT(inconsistencies(snapshot), testing::Contains(HasSubstr(text)));
  }
  envoy::config::listener::v3::FilterChain& chain_for(const std::string& name) {
    for (auto& chain : *listener.mutable_filter_chains()) {
      const auto& names = chain.filter_chain_match().server_names();
      if (std::ranges::find(names, name) != names.end()) return chain;
    }
    throw std::logic_error("no chain for " + name);
  }

  Snapshot snapshot;
  Listener listener;
};

TEST_F(TlsConsistency, MissingSecret) {
  EXPECT_THAT(inconsistencies(snapshot), IsEmpty());
  of(snapshot, Type::Secret).clear();
  EXPECT_THAT(inconsistencies(snapshot),
              ElementsAre("secret \"certificate/1\" is needed and missing"));
}

// Ended and passed through at once: Envoy compares names one by one, not lists of them.
TEST_F(TlsConsistency, OneNameInTwoChains) {
  chain_for("b.test").mutable_filter_chain_match()->add_server_names("a.test");
  expect_listener_breach("two filter chains have the same match");
}

TEST_F(TlsConsistency, ANameWithoutInspector) {
  listener.clear_listener_filters();
  expect_listener_breach("no inspector looks for");
}

TEST_F(TlsConsistency, AStarWithinAName) {
  chain_for("b.test").mutable_filter_chain_match()->set_server_names(0, "b.*.test");
  expect_listener_breach("has a star where none can be");
}

}  // namespace
}  // namespace mp::xds
