#include "xds/proxyless.hpp"

#include "xds/config_fixture.hpp"
#include "xds/consistent.hpp"

#include <random>
#include <set>

namespace mp::xds {
namespace {

const Audience proxyless{.type = ProxyType::Proxyless, .listen_address = ""};

std::set<std::string> names(const Snapshot& snapshot, Type type) {
  std::set<std::string> found;
  for (const auto& resource : snapshot.of(type)) found.insert(resource->name);
  return found;
}

using Names = std::set<std::string>;

TEST(Proxyless, GivesWhatAnybodyMayCallAndNothingElse) {
  Intent intent;
  for (const char* name : {"open", "guarded", "near", "secured", "unmapped", "off", "tcp"})
    intent.service({{"name", name}, {"protocol", "http2"}, {"port", 50051}});
  intent.change_service(3, [](Service& row) { row.tls.enabled = true; });
  intent.service({{"name", "named"}, {"ip_fqdn", "named.example"}, {"protocol", "http2"}});
  intent.mapping({{"dest_services", {"open", "secured", "named"}}});
  intent.mapping({{"dest_services", {"guarded"}}, {"auth_required", true}});
  intent.mapping({{"dest_services", {"near"}}, {"source_services", {"open"}}});
  intent.mapping({{"dest_services", {"off"}}, {"enabled", false}});
  intent.mapping({{"dest_services", {"tcp"}}, {"protocols", {"tcp"}}});
  const auto snapshot = intent.build(proxyless);
  EXPECT_EQ(names(*snapshot, Type::Listener), (Names{"open", "named"}));
  EXPECT_EQ(names(*snapshot, Type::Route), (Names{"service/1", "service/8"}));
  EXPECT_EQ(names(*snapshot, Type::Cluster), (Names{"service/1", "service/8"}));
  EXPECT_EQ(names(*snapshot, Type::Endpoint), (Names{"service/1"}));
  EXPECT_EQ(inconsistencies(*snapshot), std::vector<std::string>{});
  Names told;
  for (const Finding& finding : *snapshot->findings) told.insert(finding.object.name);
  EXPECT_EQ(told, (Names{"guarded", "near", "secured"}));
}

TEST(Proxyless, ProxiesGetNothingOfIt) {
  Intent intent;
  intent.service({{"name", "open"}, {"protocol", "http2"}});
  intent.mapping({{"dest_services", {"open"}}});
  for (const ProxyType type : {ProxyType::Egress, ProxyType::Ingress})
    EXPECT_EQ(names(*intent.build({.type = type}), Type::Listener), (Names{"tcp/80"}));
}

TEST(Proxyless, AnOpenMappingWinsAndTheFirstOneHasThePort) {
  Intent intent;
  intent.service({{"name", "shop"}});
  intent.mapping({{"dest_services", {"shop"}}, {"ports", {9002}}, {"auth_required", true}});
  intent.mapping({{"dest_services", {"shop"}}, {"ports", {9001}}, {"path_prefix", "/a"}});
  intent.mapping({{"dest_services", {"shop"}}, {"ports", {9000}}, {"priority", 1}});
  const auto snapshot = intent.build(proxyless);
  ASSERT_EQ(snapshot->of(Type::Endpoint).size(), 1U);
  EXPECT_NE(snapshot->of(Type::Endpoint)[0]->body.find("\x18\xa8\x46"), std::string::npos)
      << "port_value: 9000";
  const std::string& routes = snapshot->of(Type::Route)[0]->body;
  EXPECT_LT(routes.find("/a/"), routes.rfind("\x0a\x01/")) << "the longer prefix first";
}

// Whatever was there before, the next snapshot is that of a builder without memory.
TEST(Proxyless, RemembersNothingWrong) {
  std::mt19937 random(7);
  Intent intent;
  for (int n = 0; n < 6; ++n) {
    intent.service({{"name", "s" + std::to_string(n)}, {"protocol", "http2"}});
    intent.mapping({{"dest_services", {"s" + std::to_string(n)}}});
  }
  Builder builder(proxyless);
  for (int edit = 0; edit < 200; ++edit) {
    const std::size_t at = random() % 6;
    switch (random() % 5) {
      case 0: intent.change_mapping(at, [](Mapping& row) { row.enabled = !row.enabled; }); break;
      case 1:
        intent.change_mapping(at, [](Mapping& row) { row.auth_required = !row.auth_required; });
        break;
      case 2: intent.change_service(at, [&](Service& row) { row.port = 1 + random() % 3; }); break;
      case 3: intent.change_service(at, [&](Service& row) { row.name += "x"; }); break;
      default:
        intent.change_service(
            at, [&](Service& row) { row.ip_fqdn = random() % 2 ? "name.example" : "10.1.1.1"; });
    }
    const auto fresh = intent.build(proxyless);
    const auto next = builder.build(intent.config(), test_now);
    for (std::size_t type = 0; type < type_count; ++type) {
      ASSERT_EQ(next->types[type].size(), fresh->types[type].size()) << edit;
      for (std::size_t n = 0; n < fresh->types[type].size(); ++n)
        ASSERT_EQ(next->types[type][n]->body, fresh->types[type][n]->body) << edit;
    }
    ASSERT_EQ(*next->findings, *fresh->findings) << edit;
    ASSERT_EQ(inconsistencies(*next), std::vector<std::string>{}) << edit;
  }
}

}  // namespace
}  // namespace mp::xds
