#include "xds/config_fixture.hpp"

#include <gmock/gmock.h>

namespace mp::xds {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<std::string> names(const Catalogue& resources) {
  std::vector<std::string> all;
  for (const ResourcePtr& resource : resources) all.push_back(resource->name);
  return all;
}

TEST(Build, KeepsTheAddressOfWhatDidNotChange) {
  Intent intent;
  for (const char* name : {"a", "b"}) intent.service({{"name", name}});
  for (const char* name : {"a", "b"}) intent.mapping({{"dest_services", {name}}});
  Builder builder({});
  const SnapshotPtr before = builder.build(intent.config(), test_now);
  intent.change_mapping(0, [](Mapping& mapping) { mapping.timeout = 99; });
  const SnapshotPtr after = builder.build(intent.config(), test_now);
  EXPECT_EQ(before->of(Type::Cluster), after->of(Type::Cluster));
  EXPECT_EQ(before->of(Type::Endpoint), after->of(Type::Endpoint));
  EXPECT_EQ(before->of(Type::Listener), after->of(Type::Listener));
  EXPECT_NE(find_resource(before->of(Type::ScopedRoute), "80/a"),
            find_resource(after->of(Type::ScopedRoute), "80/a"));
  EXPECT_EQ(find_resource(before->of(Type::ScopedRoute), "80/b"),
            find_resource(after->of(Type::ScopedRoute), "80/b"));
}

// Streams of that type are told a new revision and nothing else.
TEST(Build, AChangeForOneTypeIsNoneForTheOther) {
  Intent intent;
  for (const char* name : {"a", "b"}) intent.service({{"name", name}});
  intent.mapping({{"dest_services", {"a"}}});
  Builder egress({}), ingress({.type = ProxyType::Ingress});
  const auto before = ingress.build(intent.config(), test_now);
  const auto egress_before = egress.build(intent.config(), test_now);
  intent.mapping({{"source_services", {"b"}}, {"dest_services", {"a"}}, {"hosts", {"h"}}});
  const auto after = ingress.build(intent.config(), test_now);
  for (std::size_t type = 0; type < type_count; ++type)
    EXPECT_TRUE(before->types[type].is(after->types[type])) << type;
  EXPECT_EQ(before->findings, after->findings);
  const auto scopes = egress.build(intent.config(), test_now)->of(Type::ScopedRoute);
  EXPECT_FALSE(scopes.is(egress_before->of(Type::ScopedRoute)));
}

TEST(Build, AListenerDoesNotChangeWithItsHosts) {
  Intent intent;
  for (const char* name : {"a", "b"})
    intent.service({{"name", name}, {"auth_type", "jwt"}, {"secret", "s"}});
  intent.mapping({{"dest_services", {"a"}}});
  const auto version = [&] { return intent.build()->of(Type::Listener)[0]->version; };
  const std::string before = version();
  intent.mapping({{"dest_services", {"b"}},
                  {"hosts", {"*.b", "*"}},
                  {"protocols", {"http", "ws"}},
                  {"auth_required", true}});
  EXPECT_EQ(version(), before);
}

TEST(Build, WhatIsGoneLeavesNothing) {
  Intent intent;
  intent.service({{"name", "a"}});
  intent.mapping({{"dest_services", {"a"}}, {"hosts", {"*"}}, {"protocols", {"http", "tcp"}}});
  Builder builder({});
  builder.build(intent.config(), test_now);
  const SnapshotPtr empty = builder.build({}, test_now);
  for (const Catalogue& resources : empty->types) EXPECT_THAT(resources, IsEmpty());
  EXPECT_THAT(*empty->findings, IsEmpty());
}

TEST(Build, AVanishedDestinationIsAWarning) {
  Intent intent;
  intent.service({{"name", "a"}});
  intent.mapping({{"dest_services", {"a"}}});
  intent.drop_service(0);
  const SnapshotPtr snapshot = intent.build();
  EXPECT_THAT(snapshot->of(Type::Listener), IsEmpty());
  ASSERT_THAT(*snapshot->findings, SizeIs(1));
  EXPECT_THAT(snapshot->findings->at(0).message, HasSubstr("None of the destinations"));
}

TEST(Build, VanishedSourcesAdmitNobody) {
  Intent intent;
  for (const char* name : {"a", "b"}) intent.service({{"name", name}});
  intent.mapping({{"source_services", {"b"}}, {"dest_services", {"a"}}});
  intent.drop_service(1);
  EXPECT_THAT(intent.build()->of(Type::Listener), IsEmpty());
}

TEST(Build, APreviousSecretCountsUntilItsEnd) {
  Intent intent;
  intent.service({{"name", "a"}});
  intent.service({{"name", "b"},
                  {"auth_type", "api_key"},
                  {"secret", "new"},
                  {"previous_secret", "old-one"},
                  {"previous_secret_until", "2026-01-01T00:00:05Z"}});
  intent.mapping({{"source_services", {"b"}}, {"dest_services", {"a"}}, {"auth_required", true}});
  const Time end = test_now + std::chrono::seconds(5);
  Builder builder({});
  const auto has_old = [&](Time now) {
    return find_resource(builder.build(intent.config(), now)->of(Type::ScopedRoute), "80/a")
               ->body.find("old-one") != std::string::npos;
  };
  EXPECT_TRUE(has_old(end - Milliseconds(1)));
  EXPECT_FALSE(has_old(end));
  EXPECT_EQ(next_change(intent.config(), test_now), end);
  EXPECT_EQ(next_change(intent.config(), end), std::nullopt);
}

TEST(Build, IsDueWhenACertificateBeginsOrEnds) {
  using namespace std::chrono_literals;
  const auto certificate = [](std::int64_t id, Milliseconds begin, Milliseconds end) {
    return std::make_shared<Certificate>(
        Certificate{.id = id, .not_before = test_now + begin, .expires_at = test_now + end});
  };
  auto revoked = certificate(1, 1h, 2h);
  revoked->revoked_at = test_now;
  ClusterConfig config;
  config.certificates.put(revoked);
  config.certificates.put(certificate(2, 3h, 5h));
  config.certificates.put(certificate(3, -1h, 4h));
  EXPECT_EQ(next_change(config, test_now), test_now + 3h);
  EXPECT_EQ(next_change(config, test_now + 3h), test_now + 4h);
  EXPECT_EQ(next_change(config, test_now + 4h), test_now + 5h);
  EXPECT_EQ(next_change(config, test_now + 5h), std::nullopt);
  config.issuers.put(std::make_shared<Issuer>(Issuer{.id = 1, .expires_at = test_now + 6h}));
  EXPECT_EQ(next_change(config, test_now + 5h), test_now + 6h);
}

TEST(Build, FindingsHoldNoSecret) {
  Intent intent;
  intent.service({{"name", "a"}});
  intent.service({{"name", "b"}, {"auth_type", "jwt"}, {"secret", "very-secret"}});
  intent.mapping({{"source_services", {"b"}},
                  {"dest_services", {"a"}},
                  {"auth_required", true},
                  {"protocols", {"tcp"}}});
  const SnapshotPtr snapshot = intent.build();
  ASSERT_THAT(*snapshot->findings, SizeIs(1));
  EXPECT_EQ(snapshot->findings->at(0).condition, Condition::Unsupported);
  EXPECT_THAT(snapshot->findings->at(0).message, HasSubstr("needs a certificate"));
  EXPECT_THAT(snapshot->findings->at(0).message, testing::Not(HasSubstr("very-secret")));
}

TEST(Concerns, IngressTakesWhatAnybodyMaySend) {
  Mapping mapping{.source_services = {{.kind = ServiceRef::Kind::Any}}};
  EXPECT_TRUE(concerns(mapping, ProxyType::Ingress));
  EXPECT_TRUE(concerns(mapping, ProxyType::Egress));
  mapping.source_services = {{.kind = ServiceRef::Kind::Collection, .name = "c"}};
  EXPECT_FALSE(concerns(mapping, ProxyType::Ingress));
  EXPECT_TRUE(concerns(mapping, ProxyType::Egress));
  mapping.enabled = false;
  EXPECT_FALSE(concerns(mapping, ProxyType::Egress));
}

class TcpClash : public testing::Test {
 protected:
  TcpClash() {
    for (const char* name : {"db", "one", "two"}) intent_.service({{"name", name}});
    intent_.service({{"name", "named"}, {"ip_fqdn", "named.example.com"}});
  }
  // The id of the mapping that a second one, from `second`, clashes with; 0 for none.
  std::int64_t clash(const char* first, const char* second, int second_port = 5432) {
    Intent intent = intent_;
    intent.mapping({{"source_services", {first}},
                    {"dest_services", {"db"}},
                    {"protocols", {"tcp"}},
                    {"ports", {5432}}});
    intent.mapping({{"source_services", {second}},
                    {"dest_services", {"db"}},
                    {"protocols", {"tcp"}},
                    {"ports", {second_port}}});
    ClusterConfig config = intent.config();
    const auto candidate = config.mappings.find(2);
    const Mapping* found = tcp_clash(config, *candidate);
    return found ? found->id : 0;
  }
  Intent intent_;
};

TEST_F(TcpClash, LiteralSourcesTellMappingsApart) {
  EXPECT_EQ(clash("any", "any"), 1);
  EXPECT_EQ(clash("any", "named"), 1);
  EXPECT_EQ(clash("one", "one"), 1);
  EXPECT_EQ(clash("collection:all", "named"), 1);
  EXPECT_EQ(clash("one", "two"), 0);
  EXPECT_EQ(clash("any", "two"), 0);
  EXPECT_EQ(clash("any", "any", 5433), 0);
}

// By certificate or not, on one port only one can have the callers that nothing names.
TEST_F(TcpClash, ClientCertificatesDoNotTellMappingsApart) {
  intent_.service({{"name", "caller"}, {"auth_type", "jwt"}, {"secret", "s"}});
  for (const char* source : {"any", "caller"}) {
    intent_.mapping({{"source_services", {source}},
                     {"dest_services", {"db"}},
                     {"protocols", {"tcp"}},
                     {"ports", {5432}},
                     {"auth_required", source == std::string_view("caller")}});
  }
  const ClusterConfig config = intent_.config();
  EXPECT_EQ(tcp_clash(config, *config.mappings[1]), config.mappings[0].get());
}

TEST(Listeners, OfTheWholeFleetsPortsAreApart) {
  Intent intent;
  intent.service({{"name", "a"}});
  intent.mapping({{"dest_services", {"a"}}, {"ports", {80, "8000-8001"}}});
  EXPECT_THAT(names(intent.build()->of(Type::Listener)),
              ElementsAre("tcp/80", "tcp/8000", "tcp/8001"));
}

}  // namespace
}  // namespace mp::xds
