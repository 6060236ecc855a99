// The certificate of the proxies' port: renewed in time, taken from files that change.
#include "app/port_certificate.hpp"

#include "crypto/test_certificates.hpp"
#include "store/test_database.hpp"

#include <fstream>

namespace mp {
namespace {

constexpr std::chrono::hours day{24};

struct PortCertificateTest : test::StoreTest {
  PortCertificateTest() { settings.xds.advertise = {"manager.example:18000"}; }

  void write(const test::MadeCertificate& made) const {
    std::ofstream(path("c.pem")) << made.pem();
    std::ofstream(path("k.pem")) << made.key_pem();
  }
  std::string path(const std::string& name) const { return database.data_dir() + "/" + name; }
  test::MadeCertificate made() const {
    return test::make_certificate({.begin = clock.now() - day, .end = clock.now() + 365 * day});
  }

  Settings settings;
  Authority authority{*store, clock};
};
INSTANTIATE_TEST_SUITE_P(Sqlite, PortCertificateTest, testing::Values("sqlite"), test::kind_name);

TEST_P(PortCertificateTest, IsIssuedAnewAMonthBeforeItsEnd) {
  PortCertificate port(settings, authority, clock);
  const std::string first = port.tls()->certificate_pem;
  EXPECT_FALSE(port.renewed());
  clock.advance(60 * day - std::chrono::hours(1));
  EXPECT_FALSE(port.renewed());
  clock.advance(std::chrono::hours(1));
  const auto next = port.renewed();
  ASSERT_TRUE(next);
  EXPECT_NE(next->certificate_pem, first);
  EXPECT_EQ(port.tls()->certificate_pem, next->certificate_pem);
  EXPECT_FALSE(port.renewed());
}

TEST_P(PortCertificateTest, IsIssuedAnewWhenTheClockWentBack) {
  clock.advance(9 * day);
  PortCertificate port(settings, authority, clock);
  clock.advance(-std::chrono::minutes(4));
  EXPECT_FALSE(port.renewed()) << "it has begun";
  clock.advance(-9 * day);
  EXPECT_TRUE(port.renewed());
  EXPECT_FALSE(port.renewed());
}

TEST_P(PortCertificateTest, FollowsItsFiles) {
  settings.xds.tls = XdsTls::Files;
  settings.xds.certificate = path("c.pem");
  settings.xds.key = path("k.pem");
  const auto first = made(), second = made();
  write(first);
  PortCertificate port(settings, authority, clock);
  EXPECT_EQ(port.tls()->certificate_pem, first.pem());
  EXPECT_FALSE(port.renewed());
  write(second);
  EXPECT_EQ(port.renewed()->certificate_pem, second.pem());
  std::ofstream(path("c.pem")) << "broken";
  EXPECT_THROW(port.renewed(), Error);
  EXPECT_EQ(port.tls()->certificate_pem, second.pem()) << "the last good one stays";
}

TEST_P(PortCertificateTest, IsNoneWithoutTls) {
  settings.xds.tls = XdsTls::Off;
  PortCertificate port(settings, authority, clock);
  EXPECT_FALSE(port.tls());
  EXPECT_FALSE(port.renewed());
}

}  // namespace
}  // namespace mp
