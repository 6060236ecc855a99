// Certificates of the manager's own authority: what they say, and that they are renewed in time and
// once.
#include "api/wildcard.hpp"

#include "api/expiry.hpp"
#include "store/test_database.hpp"

#include <gmock/gmock.h>

namespace mp::api {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr std::chrono::hours day{24};

struct WildcardTest : test::StoreTest {
  WildcardTest() { authority = std::make_unique<Authority>(*store, clock); }

  Certificate kept(WildcardRequest request) {
    Certificate made = issue_wildcard(*authority, request, clock.now());
    return add(made);
  }
  Certificate now(std::int64_t id) { return *find<Certificate>(id); }
  void renew() { renew_certificates(*store, *authority, clock.now()); }

  std::unique_ptr<Authority> authority;
};
INSTANTIATE_TEST_SUITE_P(Both, WildcardTest, testing::Values("sqlite", "postgresql"),
                         test::kind_name);

TEST_P(WildcardTest, IsForTheDomainAndEverythingBelow) {
  const Certificate made = kept({.domain = "company.com", .validity_years = 10});
  EXPECT_EQ(made.name, "*.company.com");
  EXPECT_EQ(made.common_name, "*.company.com");
  EXPECT_THAT(made.subject_alt_names, ElementsAre("*.company.com", "company.com"));
  EXPECT_EQ(made.source_type, CertificateSource::Auto);
  EXPECT_TRUE(made.auto_renew);
  EXPECT_TRUE(is_delivered_at(made, clock.now()));
  EXPECT_TRUE(made.cert_pem.ends_with(authority->certificates_pem()));
  EXPECT_EQ(made.ca_pem, authority->certificates_pem());
  Violations none;
  judge_upload({made.cert_pem, made.key_pem, made.ca_pem}, clock.now(), none);
  EXPECT_TRUE(none.empty()) << "what is issued could be uploaded";
}

TEST_P(WildcardTest, LastsForCalendarYears) {
  const auto end = [&](const char* start, int years) {
    clock.advance(*parse_time(start) - clock.now());
    return to_string(
        issue_wildcard(*authority, {.domain = "a.example", .validity_years = years}, clock.now())
            .expires_at);
  };
  EXPECT_EQ(end("2026-12-12T10:30:00Z", 10), "2036-12-12T10:30:00Z");
  EXPECT_EQ(end("2028-02-29T10:30:00Z", 1), "2029-02-28T10:30:00Z");
  EXPECT_EQ(end("2028-02-29T10:30:00Z", 4), "2032-02-29T10:30:00Z");
}

TEST_P(WildcardTest, ALongDomainHasNoCommonName) {
  const std::string domain = std::string(60, 'a') + ".example";
  const Certificate made = kept({.domain = domain});
  EXPECT_EQ(made.common_name, "");
  EXPECT_THAT(made.subject_alt_names, ElementsAre("*." + domain, domain));
}

TEST_P(WildcardTest, IsRenewedBeforeAnybodyWarns) {
  const Certificate made = kept({.domain = "company.com"});
  clock.advance(319 * day);
  renew();
  EXPECT_EQ(now(made.id).revision, 1);
  clock.advance(2 * day);
  const Authority another(*store, clock);
  renew();
  renew_certificates(*store, another, clock.now());
  const Certificate renewed = now(made.id);
  EXPECT_EQ(renewed.revision, 2) << "once, whoever comes";
  EXPECT_NE(renewed.fingerprint_sha256, made.fingerprint_sha256);
  EXPECT_EQ(renewed.name, made.name);
  EXPECT_EQ(renewed.subject_alt_names, made.subject_alt_names);
  EXPECT_GE(renewed.expires_at, clock.now() + 365 * day);
  EXPECT_FALSE(renewed.key_pem == made.key_pem);
  store->read([&](Reader& db) {
    const auto last = db.changes_after(db.revision() - 1, 1).at(0);
    EXPECT_EQ(last.resource, "certificate");
    EXPECT_EQ(last.actor.name, "manager");
    EXPECT_EQ(expiry_health(db, clock.now()), ExpiryHealth::Healthy);
  });
}

TEST_P(WildcardTest, IsRenewedAfterItsEndToo) {
  const Certificate made = kept({.domain = "company.com"});
  clock.advance(400 * day);
  renew();
  EXPECT_TRUE(is_delivered_at(now(made.id), clock.now()));
}

TEST_P(WildcardTest, IsIssuedAnewWhenTheClockWentBack) {
  clock.advance(100 * day);
  const Certificate made = kept({.domain = "company.com"});
  clock.advance(-100 * day);
  EXPECT_FALSE(is_delivered_at(now(made.id), clock.now()));
  renew();
  const Certificate again = now(made.id);
  EXPECT_TRUE(is_delivered_at(again, clock.now()));
  renew();
  EXPECT_EQ(now(made.id).fingerprint_sha256, again.fingerprint_sha256);
}

TEST_P(WildcardTest, IsNotRenewedAgainstItsOwner) {
  Certificate off = kept({.domain = "off.example"});
  Certificate revoked = kept({.domain = "revoked.example"});
  Certificate uploaded = kept({.domain = "file.example"});
  store->write(actor, [&](Writer& db) {
    off.auto_renew = false;
    db.update(off);
    revoked.revoked_at = db.now();
    db.update(revoked);
    uploaded.source_type = CertificateSource::File;
    db.update(uploaded);
  });
  clock.advance(360 * day);
  renew();
  for (const Certificate& each : {off, revoked, uploaded})
    EXPECT_EQ(now(each.id).fingerprint_sha256, each.fingerprint_sha256) << each.name;
}

TEST_P(WildcardTest, HealthFollowsTheFirstToEnd) {
  const auto health = [&] {
    ExpiryHealth found{};
    store->read([&](Reader& db) { found = expiry_health(db, clock.now()); });
    return found;
  };
  EXPECT_EQ(health(), ExpiryHealth::Healthy);
  Certificate one{.name = "one", .expires_at = clock.now() + 30 * day + 1s};
  one = add(one);
  EXPECT_EQ(health(), ExpiryHealth::Healthy);
  clock.advance(1s);
  EXPECT_EQ(health(), ExpiryHealth::Warning);
  clock.advance(23 * day - 1s);
  EXPECT_EQ(health(), ExpiryHealth::Warning);
  clock.advance(1s);
  EXPECT_EQ(health(), ExpiryHealth::Critical);
  clock.advance(100 * day);
  EXPECT_EQ(health(), ExpiryHealth::Critical);
  store->write(actor, [&](Writer& db) {
    one.revoked_at = db.now();
    db.update(one);
  });
  EXPECT_EQ(health(), ExpiryHealth::Healthy);
}

}  // namespace
}  // namespace mp::api
