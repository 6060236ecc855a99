// Which moments and which hosts a certificate is good for.
#include "model/certificate.hpp"

#include <gtest/gtest.h>

namespace mp {
namespace {

using namespace std::chrono_literals;

const Time now = *parse_time("2026-03-01T10:00:00Z");

TEST(Certificate, IsGoodFromItsBeginToItsEnd) {
  Certificate certificate{.not_before = now, .expires_at = now + 1h};
  EXPECT_FALSE(is_delivered_at(certificate, now - 1ms));
  EXPECT_EQ(status_at(certificate, now - 1ms), CertificateStatus::Active);
  EXPECT_TRUE(is_delivered_at(certificate, now));
  EXPECT_TRUE(is_delivered_at(certificate, now + 1h - 1ms));
  EXPECT_EQ(status_at(certificate, now + 1h), CertificateStatus::Expired);
  EXPECT_FALSE(is_delivered_at(certificate, now + 1h));
  certificate.revoked_at = now;
  EXPECT_EQ(status_at(certificate, now), CertificateStatus::Revoked);
  EXPECT_EQ(status_at(certificate, now + 2h), CertificateStatus::Revoked);
  EXPECT_FALSE(is_delivered_at(certificate, now));
}

TEST(Certificate, CoversItsNamesAndOneLabelOfAWildcard) {
  const Certificate certificate{
      .subject_alt_names = {"shop.example", "*.apps.example", "10.0.0.7"}};
  for (const char* host : {"shop.example", "SHOP.Example", "a.apps.example", "A.APPS.EXAMPLE",
                           "*.apps.example", "10.0.0.7"})
    EXPECT_TRUE(covers(certificate, host)) << host;
  for (const char* host :
       {"", ".", "other.example", "a.shop.example", "apps.example", "a.b.apps.example",
        ".apps.example", "*.shop.example", "*", "10.0.0.8", "shop.example.", "xshop.example"})
    EXPECT_FALSE(covers(certificate, host)) << host;
  EXPECT_FALSE(covers({.subject_alt_names = {"*.0.0.7"}}, "10.0.0.7"));
}

}  // namespace
}  // namespace mp
