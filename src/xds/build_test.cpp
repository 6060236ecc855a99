#include "xds/config_fixture.hpp"

#include "xds/consistent.hpp"

#include <gmock/gmock.h>

#include <random>

namespace mp::xds {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<std::string> names(const Resources& resources) {
  std::vector<std::string> all;
  for (const ResourcePtr& resource : resources) all.push_back(resource->name);
  return all;
}

// Everything that two snapshots can differ in.
std::string digest(const Snapshot& snapshot) {
  std::string text;
  for (const Resources& resources : snapshot.types) {
    for (const ResourcePtr& resource : resources) {
      text +=
          resource->name + " " + resource->version + " " + std::to_string(resource->body.size());
      for (const Object& origin : resource->origins)
        text += " " + origin.type + std::to_string(origin.id) + origin.name;
      text += "\n";
    }
    text += "--\n";
  }
  for (const Finding& finding : snapshot.findings) {
    text += finding.object.name + std::to_string(static_cast<int>(finding.condition)) +
            finding.message + "\n";
  }
  return text;
}

// Random intent with few names, so that claims meet.
class Chaos {
 public:
  explicit Chaos(unsigned seed) : random_(seed) {
    for (int count = 0; count < 8; ++count) add_service();
    for (int count = 0; count < 4; ++count) add_certificate();
    intent.issuer();
    for (int count = 0; count < 10; ++count) add_mapping();
  }

  void edit() {
    switch (below(8)) {
      case 0: add_mapping(); break;
      case 1: change_service(); break;
      case 2:
        intent.change_mapping(below(mappings_), [&](Mapping& row) { row.enabled = !row.enabled; });
        break;
      case 3:
        intent.change_mapping(below(mappings_), [&](Mapping& row) { row.priority = below(3); });
        break;
      case 4:
        intent.change_mapping(below(mappings_),
                              [&](Mapping& row) { row.auth_required = !row.auth_required; });
        break;
      case 5: now += std::chrono::seconds(below(3)); break;
      case 6: change_certificate(); break;
      case 7: intent.change_issuer(0, [](Issuer& row) { row.crl_pem += "more"; }); break;
    }
  }

  Intent intent;
  Time now = test_now;

 private:
  int below(int end) { return static_cast<int>(random_() % static_cast<unsigned>(end)); }
  template <class List>
  auto pick(const List& list) {
    return list[static_cast<std::size_t>(below(static_cast<int>(list.size())))];
  }

  void add_service() {
    const auto number = std::to_string(++services_);
    boost::json::object fields{{"name", "s" + number},
                               {"collection", pick(std::vector<std::string>{"c1", "c2"})}};
    if (below(3) == 0)
      fields["ip_fqdn"] = pick(std::vector<std::string>{"10.9.9.9", "shared.example.com"});
    const auto type = pick(std::vector<std::string>{"none", "jwt", "api_key"});
    fields["auth_type"] = type;
    if (type != "none") fields["secret"] = "secret-" + number;
    intent.service(fields);
  }

  void change_service() {
    intent.change_service(static_cast<std::size_t>(below(services_)), [&](Service& row) {
      switch (below(4)) {
        case 0:
          row.ip_fqdn = pick(std::vector<std::string>{"10.9.9.9", "10.9.9.8", "other.example.com"});
          break;
        case 1: row.collection = pick(std::vector<std::string>{"c1", "c2"}); break;
        case 2: row.tls.enabled = !row.tls.enabled; break;
        case 3:
          row.previous_secret = row.secret;
          row.previous_secret_until = now + std::chrono::seconds(below(3));
          break;
      }
    });
  }

  void add_certificate() {
    using Names = std::vector<std::string>;
    intent.certificate(
        {{"subject_alt_names",
          {pick(Names{"h", "*.h", "s3", "s4"}), pick(Names{"a.h", "s5", "other.example.com"})}}});
  }

  void change_certificate() {
    intent.change_certificate(static_cast<std::size_t>(below(4)), [&](Certificate& row) {
      switch (below(4)) {
        case 0: row.not_before = now + std::chrono::seconds(below(3) - 1); break;
        case 1: row.expires_at = now + std::chrono::seconds(below(3)); break;
        case 2: row.cert_pem += "renewed"; break;
        case 3: row.subject_alt_names.front() = below(2) ? "h" : "s3"; break;
      }
    });
  }

  void add_mapping() {
    ++mappings_;
    using Names = std::vector<std::string>;
    boost::json::object fields{
        {"source_services", {pick(Names{"any", "s1", "s2", "collection:c1"})}},
        {"dest_services", {pick(Names{"s3", "s4", "s5", "collection:c2", "s6"})}},
        {"protocols", {pick(Names{"http", "ws", "tcp", "udp", "https", "wss"})}},
        {"ports", {80 + below(2)}},
        {"auth_required", below(2) == 0}};
    const auto& protocol = fields["protocols"].as_array()[0].as_string();
    if (protocol != "tcp" && protocol != "udp" && below(2) == 0) {
      fields["hosts"] = boost::json::array{pick(Names{"h", "*.h", "*", "s3"})};
      fields["path_prefix"] = pick(Names{"/", "/a", "/a/b"});
      fields["strip_prefix"] = below(2) == 0;
    }
    intent.mapping(fields);
  }

  std::mt19937 random_;
  int services_ = 0;
  int mappings_ = 0;
};

class Memory : public testing::TestWithParam<Flavour> {};

TEST_P(Memory, NeverChangesTheResult) {
  for (unsigned seed = 1; seed <= 8; ++seed) {
    Chaos chaos(seed);
    const Audience audience{.type = seed % 4 ? ProxyType::Egress : ProxyType::Ingress,
                            .flavour = GetParam()};
    Builder builder(audience);
    Consistency consistency;
    for (int step = 0; step < 25; ++step) {
      const SnapshotPtr kept = builder.build(chaos.intent.config(), chaos.now);
      const SnapshotPtr fresh = chaos.intent.build(audience, chaos.now);
      ASSERT_EQ(digest(*kept), digest(*fresh)) << "seed " << seed << " step " << step;
      ASSERT_THAT(consistency.check(*kept), IsEmpty()) << "seed " << seed << " step " << step;
      for (int edits = 0; edits < 3; ++edits) chaos.edit();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Flavours, Memory,
                         testing::Values(Flavour::Delta, Flavour::StateOfTheWorld));

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

TEST(Build, AListenerDoesNotChangeWithItsHosts) {
  Intent intent;
  for (const char* name : {"a", "b"})
    intent.service({{"name", name}, {"auth_type", "jwt"}, {"secret", "s"}});
  intent.mapping({{"dest_services", {"a"}}});
  const auto version = [&] { return intent.build()->of(Type::Listener).at(0)->version; };
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
  for (const Resources& resources : empty->types) EXPECT_THAT(resources, IsEmpty());
  EXPECT_THAT(empty->findings, IsEmpty());
}

TEST(Build, AVanishedDestinationIsAWarning) {
  Intent intent;
  intent.service({{"name", "a"}});
  intent.mapping({{"dest_services", {"a"}}});
  intent.drop_service(1);
  const SnapshotPtr snapshot = intent.build();
  EXPECT_THAT(snapshot->of(Type::Listener), IsEmpty());
  ASSERT_THAT(snapshot->findings, SizeIs(1));
  EXPECT_THAT(snapshot->findings[0].message, HasSubstr("None of the destinations"));
}

TEST(Build, VanishedSourcesAdmitNobody) {
  Intent intent;
  for (const char* name : {"a", "b"}) intent.service({{"name", name}});
  intent.mapping({{"source_services", {"b"}}, {"dest_services", {"a"}}});
  intent.drop_service(2);
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
  const auto certificate = [](Milliseconds begin, Milliseconds end) {
    return std::make_shared<Certificate>(
        Certificate{.not_before = test_now + begin, .expires_at = test_now + end});
  };
  auto revoked = certificate(1h, 2h);
  revoked->revoked_at = test_now;
  ClusterConfig config{.certificates = {revoked, certificate(3h, 5h), certificate(-1h, 4h)}};
  EXPECT_EQ(next_change(config, test_now), test_now + 3h);
  EXPECT_EQ(next_change(config, test_now + 3h), test_now + 4h);
  EXPECT_EQ(next_change(config, test_now + 4h), test_now + 5h);
  EXPECT_EQ(next_change(config, test_now + 5h), std::nullopt);
  config.issuers = {std::make_shared<Issuer>(Issuer{.expires_at = test_now + 6h})};
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
  ASSERT_THAT(snapshot->findings, SizeIs(1));
  EXPECT_EQ(snapshot->findings[0].condition, Condition::Unsupported);
  EXPECT_THAT(snapshot->findings[0].message, HasSubstr("needs a certificate"));
  EXPECT_THAT(digest(*snapshot), testing::Not(HasSubstr("very-secret")));
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
    const auto candidate = config.mappings.back();
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
