// Whether a caller gets through, by which claims, and what keeps him out; told from settled claims.
#include "xds/reach.hpp"

#include "xds/config_fixture.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace mp::xds {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ReachTest : public testing::Test {
 protected:
  // Ids go by the order.
  ReachTest() {
    intent.service({{"name", "web"}, {"auth_type", "jwt"}, {"secret", "s1"}});
    intent.service({{"name", "api"}, {"auth_type", "api_key"}, {"secret", "s2"}});
    intent.service({{"name", "batch"}});
    intent.service({{"name", "named"}, {"ip_fqdn", "named.example"}});
  }

  Reach::Outlook look(const Journey& journey, ProxyType type = ProxyType::Egress) const {
    const auto config = std::make_shared<const ClusterConfig>(intent.config());
    return Reach(config, {type, journey.port}, test_now).look(journey);
  }
  static std::vector<Proof::Kind> kinds(const Way& way) {
    std::vector<Proof::Kind> kinds;
    for (const Proof& proof : way.proofs) kinds.push_back(proof.kind);
    return kinds;
  }
  // The only obstacle's.
  static Obstacle only(const Reach::Outlook& outlook) {
    EXPECT_TRUE(outlook.ways.empty());
    EXPECT_EQ(outlook.obstacles.size(), 1U);
    return outlook.obstacles.empty() ? Obstacle() : outlook.obstacles.front();
  }

  static constexpr std::int64_t web = 1, api = 2, batch = 3, named = 4;
  Intent intent;
};

TEST_F(ReachTest, EachCallerShowsWhatItHas) {
  intent.mapping({{"source_services", {"web", "api", "batch"}},
                  {"dest_services", {"named"}},
                  {"auth_required", true}});
  const auto proof = [&](std::int64_t from) {
    const auto outlook = look({.from = from, .to = named, .port = 80});
    EXPECT_EQ(outlook.ways.size(), 1U);
    return outlook.ways.at(0).proofs.at(0);
  };
  EXPECT_EQ(proof(web).kind, Proof::Kind::Token);
  EXPECT_EQ(proof(web).of->service->id, web);
  EXPECT_EQ(proof(api).kind, Proof::Kind::Key);
  EXPECT_EQ(proof(batch).kind, Proof::Kind::Address);
  EXPECT_THAT(proof(batch).addresses, ElementsAre("10.0.0.3"));
}

TEST_F(ReachTest, FromAnybodyTheDestinationsCredentialOpens) {
  intent.mapping({{"dest_services", {"api"}}, {"auth_required", true}});
  for (const std::optional<std::int64_t> from :
       {std::optional<std::int64_t>(), std::optional(web)}) {
    for (const ProxyType type : {ProxyType::Egress, ProxyType::Ingress}) {
      const auto outlook = look({.from = from, .to = api, .port = 80}, type);
      ASSERT_EQ(outlook.ways.size(), 1U);
      EXPECT_THAT(kinds(outlook.ways[0]), ElementsAre(Proof::Kind::Key));
      EXPECT_EQ(outlook.ways[0].proofs[0].of->service->id, api);
    }
  }
}

// Sources known by name prove nothing: without a proof the mapping is open to everybody.
TEST_F(ReachTest, WhatIsOpenIsOpenToThoseWhomTheMappingDoesNotName) {
  intent.mapping({{"source_services", {"named"}}, {"dest_services", {"api"}}});
  const auto meant = look({.from = named, .to = api, .port = 80});
  const auto other = look({.from = web, .to = api, .port = 80});
  ASSERT_EQ(meant.ways.size(), 1U);
  ASSERT_EQ(other.ways.size(), 1U);
  EXPECT_THAT(kinds(other.ways[0]), ElementsAre(Proof::Kind::Nothing));
  EXPECT_TRUE(meant.ways[0].names_caller);
  EXPECT_FALSE(other.ways[0].names_caller);
}

TEST_F(ReachTest, SaysWhatIsMissing) {
  intent.mapping({{"source_services", {"web"}}, {"dest_services", {"api"}}, {"enabled", false}});
  EXPECT_EQ(only(look({.from = web, .to = api, .port = 80})).kind, Obstacle::Kind::Disabled);
  intent.change_mapping(0, [](Mapping& mapping) { mapping.enabled = true; });
  EXPECT_FALSE(look({.from = web, .to = api, .port = 80}).ways.empty());
  EXPECT_EQ(only(look({.from = web, .to = api, .port = 81})).kind, Obstacle::Kind::Port);
  const Journey udp{.from = web, .to = api, .port = 80, .protocol = Protocol::Udp};
  EXPECT_EQ(only(look(udp)).kind, Obstacle::Kind::Protocol);
  EXPECT_EQ(only(look({.from = web, .to = api, .port = 80}, ProxyType::Ingress)).kind,
            Obstacle::Kind::ProxyType);
  EXPECT_EQ(only(look({.from = web, .to = batch, .port = 80})).kind, Obstacle::Kind::NoMapping);
}

TEST_F(ReachTest, ACallerWithoutProofIsDeniedAndTheReasonIsTheTranslations) {
  intent.mapping(
      {{"source_services", {"named"}}, {"dest_services", {"api"}}, {"auth_required", true}});
  const Obstacle obstacle = only(look({.from = named, .to = api, .port = 80}));
  EXPECT_EQ(obstacle.kind, Obstacle::Kind::Denied);
  EXPECT_EQ(obstacle.message, intent.build()->findings->at(0).message);
}

TEST_F(ReachTest, TheLowerPriorityNumberHasTheNameAndTheOtherIsShadowed) {
  intent.mapping({{"dest_services", {"web"}}, {"hosts", {"shop.example"}}, {"priority", 1}});
  intent.mapping({{"dest_services", {"api"}}, {"hosts", {"shop.example"}}});
  const auto outlook = look({.to = api, .port = 80});
  ASSERT_EQ(outlook.ways.size(), 1U);
  EXPECT_THAT(outlook.ways[0].domains, ElementsAre("10.0.0.2", "api"))
      << "by its own names it is still reached";
  intent.mapping({{"dest_services", {"batch"}}, {"hosts", {"api", "10.0.0.2"}}, {"priority", 2}});
  const auto shadowed = look({.to = api, .port = 80});
  ASSERT_EQ(shadowed.obstacles.size(), 3U);
  for (const Obstacle& obstacle : shadowed.obstacles) {
    EXPECT_EQ(obstacle.kind, Obstacle::Kind::Shadowed);
    EXPECT_EQ(obstacle.object->id, 2);
  }
}

TEST_F(ReachTest, WebsocketsPassByMappingsThatHaveThem) {
  intent.mapping({{"dest_services", {"api"}}});
  intent.mapping({{"source_services", {"web"}},
                  {"dest_services", {"api"}},
                  {"protocols", {"ws"}},
                  {"auth_required", true}});
  const auto upgrade = look({.from = web, .to = api, .port = 80, .protocol = Protocol::Ws});
  ASSERT_EQ(upgrade.ways.size(), 1U);
  EXPECT_EQ(upgrade.ways[0].mapping->id, 2);
  EXPECT_THAT(kinds(upgrade.ways[0]), ElementsAre(Proof::Kind::Token));
  const Journey others{.from = batch, .to = api, .port = 80, .protocol = Protocol::Ws};
  EXPECT_TRUE(look(others).ways.empty());
}

TEST_F(ReachTest, TlsIsEndedWithACertificateAndPassedThroughWithout) {
  intent.mapping({{"dest_services", {"api"}},
                  {"protocols", {"https"}},
                  {"ports", {443}},
                  {"hosts", {"shop.example", "raw.example"}}});
  const Journey journey{.to = api, .port = 443, .protocol = Protocol::Https};
  auto outlook = look(journey);
  ASSERT_EQ(outlook.ways.size(), 1U);
  EXPECT_EQ(outlook.ways[0].tls, Way::Tls::PassedThrough);
  intent.certificate({{"subject_alt_names", {"shop.example"}}});
  outlook = look(journey);
  ASSERT_EQ(outlook.ways.size(), 2U);
  EXPECT_EQ(outlook.ways[0].tls, Way::Tls::Ended);
  EXPECT_THAT(outlook.ways[0].domains, ElementsAre("shop.example"));
  EXPECT_THAT(outlook.ways[0].certificates, ElementsAre(1));
  EXPECT_THAT(outlook.ways[1].domains, ElementsAre("raw.example"));
}

TEST_F(ReachTest, AProofWithinTlsNeedsACertificateInForce) {
  intent.mapping({{"source_services", {"web"}},
                  {"dest_services", {"api"}},
                  {"protocols", {"https"}},
                  {"ports", {443}},
                  {"auth_required", true}});
  intent.certificate({{"subject_alt_names", {"api"}}, {"expires_at", "2025-06-01T00:00:00Z"}});
  const Journey journey{.from = web, .to = api, .port = 443, .protocol = Protocol::Https};
  const auto outlook = look(journey);
  ASSERT_FALSE(outlook.obstacles.empty());
  EXPECT_EQ(outlook.obstacles[0].kind, Obstacle::Kind::Certificate);
  EXPECT_THAT(outlook.obstacles[0].message, HasSubstr("expired"));
  EXPECT_EQ(outlook.obstacles[1].kind, Obstacle::Kind::Denied);
}

TEST_F(ReachTest, TcpGoesByAddressAndTheRestByCertificate) {
  intent.certificate({{"subject_alt_names", {"api"}}});
  intent.mapping({{"source_services", {"batch"}},
                  {"dest_services", {"api"}},
                  {"protocols", {"tcp"}},
                  {"ports", {5432}},
                  {"auth_required", true}});
  intent.mapping({{"source_services", {"web"}},
                  {"dest_services", {"api"}},
                  {"protocols", {"tcp"}},
                  {"ports", {5432}},
                  {"auth_required", true}});
  const auto journey = [](std::optional<std::int64_t> from) {
    return Journey{.from = from, .to = api, .port = 5432, .protocol = Protocol::Tcp};
  };
  EXPECT_THAT(kinds(look(journey(batch)).ways.at(0)), ElementsAre(Proof::Kind::Address));
  const auto without = look(journey(web));
  ASSERT_FALSE(without.obstacles.empty()) << "no authority certifies callers";
  EXPECT_EQ(without.obstacles[0].kind, Obstacle::Kind::Certificate);
  intent.issuer();
  const auto outlook = look(journey(web));
  ASSERT_EQ(outlook.ways.size(), 1U);
  EXPECT_THAT(kinds(outlook.ways[0]), ElementsAre(Proof::Kind::Certificate));
  EXPECT_THAT(outlook.ways[0].certificates, ElementsAre(1));
  EXPECT_TRUE(look(journey(std::nullopt)).ways.empty());
}

// What one mapping leaves over is somebody else's.
TEST_F(ReachTest, AnAddressThatAnotherMappingHasDoesNotReachTheRest) {
  intent.mapping({{"source_services", {"batch"}},
                  {"dest_services", {"web"}},
                  {"protocols", {"tcp"}},
                  {"ports", {5432}}});
  intent.mapping({{"dest_services", {"api"}}, {"protocols", {"tcp"}}, {"ports", {5432}}});
  const Journey journey{.from = batch, .to = api, .port = 5432, .protocol = Protocol::Tcp};
  EXPECT_TRUE(look(journey).ways.empty());
  EXPECT_FALSE(
      look({.from = web, .to = api, .port = 5432, .protocol = Protocol::Tcp}).ways.empty());
}

TEST_F(ReachTest, IcmpIsNothingForEnvoy) {
  intent.mapping({{"dest_services", {"api"}}, {"protocols", {"icmp"}}});
  EXPECT_EQ(only(look({.to = api, .port = 80, .protocol = Protocol::Icmp})).kind,
            Obstacle::Kind::Unsupported);
}

}  // namespace
}  // namespace mp::xds
