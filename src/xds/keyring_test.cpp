#include "xds/keyring.hpp"

#include "xds/config_fixture.hpp"

#include <gmock/gmock.h>

namespace mp::xds {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Ids = std::vector<std::int64_t>;

class KeyringTest : public testing::Test {
 protected:
  // The id of the new certificate.
  std::int64_t add(boost::json::array names, const char* begin = "2025-01-01T00:00:00Z",
                   const char* end = "2027-01-01T00:00:00Z") {
    intent.certificate(
        {{"subject_alt_names", std::move(names)}, {"not_before", begin}, {"expires_at", end}});
    return ++last_;
  }
  Keyring::Changes update(Time now = test_now) { return keyring.update(intent.config(), now); }
  Ids prove(std::string_view domain) { return keyring.prove(domain).certificates; }

  Intent intent;
  Keyring keyring;

 private:
  std::int64_t last_ = 0;
};

TEST_F(KeyringTest, TheOneThatBeganLastCounts) {
  add({"a.test", "b.test"}, "2025-03-01T00:00:00Z");
  add({"a.test"}, "2025-06-01T00:00:00Z");
  add({"a.test"}, "2025-05-01T00:00:00Z");
  update();
  EXPECT_EQ(prove("a.test"), Ids{2});
  EXPECT_EQ(prove("b.test"), Ids{1});
  EXPECT_THAT(keyring.server_names(1), ElementsAre("b.test"));
  EXPECT_THAT(keyring.server_names(3), IsEmpty());
  ASSERT_EQ(keyring.replaced().size(), 1U);
  EXPECT_EQ(keyring.replaced()[0].first->id, 3);
  EXPECT_EQ(keyring.replaced()[0].second->id, 2);
}

TEST_F(KeyringTest, OfEqualOnesTheNewerCounts) {
  add({"a.test"});
  add({"a.test"});
  update();
  EXPECT_EQ(prove("a.test"), Ids{2});
}

TEST_F(KeyringTest, AWildcardStandsForOneLabel) {
  add({"*.a.test"});
  add({"x.a.test"});
  update();
  EXPECT_EQ(prove("y.a.test"), Ids{1});
  EXPECT_EQ(prove("x.a.test"), Ids{2});
  EXPECT_EQ(prove("a.test"), Ids{});
  EXPECT_EQ(prove("z.y.a.test"), Ids{});
}

TEST_F(KeyringTest, AWildcardDomainIsProvedInParts) {
  add({"x.a.test"});
  add({"*.b.a.test"});
  add({"other.test"});
  update();
  EXPECT_EQ(prove("*.a.test"), (Ids{1, 2}));
  EXPECT_FALSE(keyring.prove("*.a.test").whole);
  EXPECT_TRUE(keyring.prove("*.b.a.test").whole);
  EXPECT_EQ(prove("*"), (Ids{1, 2, 3}));
  EXPECT_FALSE(keyring.prove("*").whole);
}

TEST_F(KeyringTest, AddressesAreProvedButNeverServerNames) {
  add({"10.0.0.1", "::1"});
  update();
  EXPECT_EQ(prove("10.0.0.1"), Ids{1});
  EXPECT_EQ(prove("::1"), Ids{1});
  EXPECT_EQ(prove("*"), Ids{});
  EXPECT_THAT(keyring.server_names(1), IsEmpty());
}

TEST_F(KeyringTest, NamesThatAreNoHostsAreLeftOut) {
  add({"*", "f*.a.test", "a b", "", "A.Test"});
  update();
  EXPECT_THAT(keyring.server_names(1), ElementsAre("a.test"));
}

TEST_F(KeyringTest, OutOfForceThereIsAReason) {
  using namespace std::chrono_literals;
  add({"a.test"}, "2025-01-01T00:00:00Z", "2026-01-01T00:00:10Z");
  add({"a.test"}, "2026-01-01T00:00:05Z", "2026-01-01T00:00:08Z");
  update();
  EXPECT_EQ(prove("a.test"), Ids{1});
  EXPECT_EQ(keyring.lapse("a.test"), "");
  update(test_now + 5s);
  EXPECT_EQ(prove("a.test"), Ids{2});
  update(test_now + 8s);
  EXPECT_EQ(prove("a.test"), Ids{1});
  update(test_now + 10s);
  EXPECT_EQ(prove("a.test"), Ids{});
  EXPECT_EQ(keyring.lapse("a.test"), "certificate \"certificate-2\" has expired");
  EXPECT_EQ(keyring.find(1), nullptr);
}

TEST_F(KeyringTest, AReplacementUnderTheSameNamesTouchesNoName) {
  add({"a.test"});
  EXPECT_TRUE(update().concern("a.test"));
  EXPECT_TRUE(update().certificates.empty());
  intent.change_certificate(0, [](Certificate& row) {
    row.cert_pem = "another";
    row.not_before += std::chrono::hours(1);
  });
  const Keyring::Changes changes = update();
  EXPECT_THAT(changes.names, IsEmpty());
  EXPECT_THAT(changes.certificates, ElementsAre(1));
}

TEST_F(KeyringTest, SaysWhichDomainsAreConcerned) {
  update();
  add({"*.a.test"});
  const Keyring::Changes changes = update();
  EXPECT_TRUE(changes.concern("x.a.test"));
  EXPECT_TRUE(changes.concern("*.a.test"));
  EXPECT_TRUE(changes.concern("*.test"));
  EXPECT_TRUE(changes.concern("*"));
  EXPECT_FALSE(changes.concern("a.test"));
  EXPECT_FALSE(changes.concern("x.b.test"));
}

TEST_F(KeyringTest, AuthoritiesCountWhileTheyLast) {
  intent.issuer();
  EXPECT_TRUE(update().issuers);
  EXPECT_FALSE(update().issuers);
  EXPECT_EQ(keyring.issuers().size(), 1U);
  EXPECT_TRUE(update(*parse_time("2035-01-01T00:00:00Z")).issuers);
  EXPECT_THAT(keyring.issuers(), IsEmpty());
}

}  // namespace
}  // namespace mp::xds
