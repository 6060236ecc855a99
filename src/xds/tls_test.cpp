// What certificates change, and what they must not change.
#include "xds/config_fixture.hpp"
#include "xds/consistent.hpp"
#include "xds/hub.hpp"

#include <gmock/gmock.h>

namespace mp::xds {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Tls : public testing::Test {
 protected:
  Tls() {
    intent.service({{"name", "web"}, {"ip_fqdn", "web.test"}});
    intent.service({{"name", "api"}, {"ip_fqdn", "api.test"}});
  }
  void https(const char* service) {
    intent.mapping({{"dest_services", {service}}, {"protocols", {"https"}}, {"ports", {443}}});
  }
  SnapshotPtr build(Time now = test_now) {
    SnapshotPtr snapshot = builder.build(intent.config(), now);
    EXPECT_THAT(consistency.check(*snapshot), IsEmpty());
    return snapshot;
  }
  static ResourcePtr secret(const SnapshotPtr& snapshot, const char* name) {
    return find_resource(snapshot->of(Type::Secret), name);
  }
  static ResourcePtr listener(const SnapshotPtr& snapshot) {
    return find_resource(snapshot->of(Type::Listener), "tcp/443");
  }

  Intent intent;
  Builder builder{{}};
  Consistency consistency;
};

TEST_F(Tls, AReplacedCertificateChangesItsSecretAlone) {
  intent.certificate({{"subject_alt_names", {"web.test"}}});
  intent.certificate({{"subject_alt_names", {"api.test"}}});
  https("web");
  https("api");
  const SnapshotPtr before = build();
  intent.change_certificate(0, [](Certificate& row) {
    row.cert_pem = "renewed";
    row.not_before += 1h;
  });
  const SnapshotPtr after = build();
  for (const Type type : {Type::Cluster, Type::Endpoint, Type::Listener, Type::ScopedRoute})
    EXPECT_EQ(before->of(type), after->of(type));
  EXPECT_NE(secret(before, "certificate/1"), secret(after, "certificate/1"));
  EXPECT_EQ(secret(before, "certificate/2"), secret(after, "certificate/2"));
}

TEST_F(Tls, ANewHostUnderAWildcardDoesNotTouchTheListener) {
  intent.certificate({{"subject_alt_names", {"*.test"}}});
  https("web");
  const SnapshotPtr before = build();
  https("api");
  intent.mapping({{"dest_services", {"web"}},
                  {"protocols", {"https"}},
                  {"ports", {443}},
                  {"hosts", boost::json::array{"shop.test"}}});
  const SnapshotPtr after = build();
  EXPECT_EQ(listener(before)->version, listener(after)->version);
  EXPECT_EQ(before->of(Type::Secret), after->of(Type::Secret));
}

TEST_F(Tls, ACertificateIsDeliveredWhileItIsGood) {
  intent.certificate({{"subject_alt_names", {"web.test"}},
                      {"not_before", "2026-01-01T00:00:05Z"},
                      {"expires_at", "2026-01-01T00:00:09Z"}});
  https("web");
  EXPECT_EQ(secret(build(), "certificate/1"), nullptr);
  EXPECT_EQ(next_change(intent.config(), test_now), test_now + 5s);
  const SnapshotPtr in_force = build(test_now + 5s);
  EXPECT_NE(secret(in_force, "certificate/1"), nullptr);
  EXPECT_THAT(listener(in_force)->body, HasSubstr("certificate/1"));
  EXPECT_EQ(next_change(intent.config(), test_now + 5s), test_now + 9s);
  const SnapshotPtr over = build(test_now + 9s);
  EXPECT_EQ(secret(over, "certificate/1"), nullptr);
  EXPECT_THAT(listener(over)->body, Not(HasSubstr("certificate/1")));
}

TEST_F(Tls, OnlyWhatIsNeededIsDelivered) {
  intent.certificate({{"subject_alt_names", {"web.test"}}});
  intent.certificate({{"subject_alt_names", {"elsewhere.test"}}});
  intent.issuer();
  https("web");
  const SnapshotPtr snapshot = build();
  ASSERT_EQ(snapshot->of(Type::Secret).size(), 1U);
  EXPECT_EQ(snapshot->of(Type::Secret)[0]->name, "certificate/1");
  const Object origin{.type = "certificate", .id = 1, .name = "certificate-1"};
  EXPECT_EQ(snapshot->of(Type::Secret)[0]->origins, std::vector{origin});
  intent.change_mapping(0, [](Mapping& row) { row.enabled = false; });
  EXPECT_THAT(build()->of(Type::Secret), IsEmpty());
}

TEST_F(Tls, ARevocationListChangesTheAuthorityAlone) {
  intent.service({{"name", "caller"}, {"auth_type", "jwt"}, {"secret", "s"}});
  intent.certificate({{"subject_alt_names", {"web.test"}}});
  intent.issuer();
  intent.mapping({{"source_services", {"caller"}},
                  {"dest_services", {"web"}},
                  {"protocols", {"tcp"}},
                  {"ports", {443}},
                  {"auth_required", true}});
  const SnapshotPtr before = build();
  EXPECT_THAT(secret(before, "authority")->body, HasSubstr("list 1"));
  EXPECT_THAT(listener(before)->body, HasSubstr("spiffe://marchproxy/main/caller"));
  intent.change_issuer(0, [](Issuer& row) { row.crl_pem = "list with more"; });
  const SnapshotPtr after = build();
  EXPECT_EQ(before->of(Type::Listener), after->of(Type::Listener));
  EXPECT_THAT(secret(after, "authority")->body, HasSubstr("list with more"));
}

// A service that trusts the manager's own authority does so with its list of what was revoked.
TEST_F(Tls, OurOwnAuthorityComesWithItsRevocationList) {
  const std::string block = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n";
  intent.issuer();
  intent.change_issuer(0, [&](Issuer& row) { row.certificate_pem = block; });
  const auto trust = [&](const std::string& pem) {
    intent.change_service(0, [&](Service& row) {
      row.tls.enabled = true;
      row.tls.ca_pem = pem;
    });
  };
  intent.mapping({{"dest_services", {"web"}}});
  EXPECT_EQ(secret(build(), "authority"), nullptr);
  trust("-----BEGIN CERTIFICATE-----\r\nMII\r\n-----END CERTIFICATE-----");
  EXPECT_THAT(secret(build(), "authority")->body, HasSubstr("list 1"));
  intent.change_issuer(0, [](Issuer& row) { row.crl_pem = "list with more"; });
  const SnapshotPtr before = build();
  EXPECT_THAT(secret(before, "authority")->body, HasSubstr("list with more"));
  trust(block + "-----BEGIN CERTIFICATE-----\nOther\n-----END CERTIFICATE-----\n");
  EXPECT_EQ(secret(build(), "authority"), nullptr);
  trust(block);
  EXPECT_EQ(build()->of(Type::Cluster)[0]->version, before->of(Type::Cluster)[0]->version);
  EXPECT_EQ(secret(build(*parse_time("2036-01-01T00:00:00Z")), "authority"), nullptr);
}

// Without an authority nobody can prove anything: it must not become an open port.
TEST_F(Tls, WithoutAnAuthorityCallersByCertificateAreDenied) {
  intent.service({{"name", "caller"}, {"auth_type", "jwt"}, {"secret", "s"}});
  intent.certificate({{"subject_alt_names", {"web.test"}}});
  intent.mapping({{"source_services", {"caller"}},
                  {"dest_services", {"web"}},
                  {"protocols", {"tcp"}},
                  {"ports", {443}},
                  {"auth_required", true}});
  EXPECT_THAT(build()->of(Type::Listener), IsEmpty());
  intent.issuer();
  EXPECT_NE(listener(build()), nullptr);
  EXPECT_THAT(build(*parse_time("2036-01-01T00:00:00Z"))->of(Type::Listener), IsEmpty());
}

TEST_F(Tls, FindingsAndListenersHoldNoKey) {
  intent.certificate({{"subject_alt_names", {"web.test"}}, {"key", "very-private"}});
  https("web");
  const SnapshotPtr snapshot = build();
  EXPECT_THAT(listener(snapshot)->body, Not(HasSubstr("very-private")));
  EXPECT_THAT(secret(snapshot, "certificate/1")->body, HasSubstr("very-private"));
}

// What the API says of a certificate.
TEST(Delivery, FollowsThoseThatAreGiven) {
  ClusterView view{.connected = true, .held = 5};
  const auto state = [&] { return view.of("certificate", 1).state; };
  EXPECT_EQ(state(), mp::State::Idle);
  view.certificates = std::make_shared<const Summary::Certificates>(Summary::Certificates{1});
  EXPECT_EQ(state(), mp::State::Live);
  view.changed[{"certificate", 1}] = 6;
  EXPECT_EQ(state(), mp::State::Pending);
  const Object object{.type = "certificate", .id = 1, .name = "web"};
  view.refusals.emplace_back(object,
                             ObjectRefusal{.proxy_id = "p", .message = "KEY_VALUES_MISMATCH"});
  EXPECT_EQ(state(), mp::State::Rejected);
  EXPECT_EQ(view.of("certificate", 1).reasons.at(0).message, "KEY_VALUES_MISMATCH");
  EXPECT_EQ(view.of("certificate", 2).state, mp::State::Idle);
}

}  // namespace
}  // namespace mp::xds
