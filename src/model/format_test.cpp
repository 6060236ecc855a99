#include "model/format.hpp"

#include <gtest/gtest.h>

#include <regex>

namespace mp {
namespace {

struct Case {
  std::string format;
  std::string text;
  std::optional<std::string> stored;  // nullopt: refused
};

std::string repeated(std::string_view part, int times) {
  std::string text;
  for (int at = 0; at < times; ++at) text += part;
  return text;
}

// Self-signed, P-256.
constexpr std::string_view certificate = R"(-----BEGIN CERTIFICATE-----
MIIBdjCCARugAwIBAgIUMCRScEOED/yDvLaXPKZyMhCX7kQwCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjQxNjA2NDVaGA8yMTI2MTAzMTE2MDY0
NVowDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABBiB
+yWnQGiBLVQb/LPUtranv4rM2S/sEe8DqqyqPbueo26zyxO40kHNGnUJIA/3i6xm
2ac9kKorb3EvYuAMQdujUzBRMB0GA1UdDgQWBBTqGno4TOwXJHIhIacJ4yu408WW
8jAfBgNVHSMEGDAWgBTqGno4TOwXJHIhIacJ4yu408WW8jAPBgNVHRMBAf8EBTAD
AQH/MAoGCCqGSM49BAMCA0kAMEYCIQDHxwBF2zgELlwcRE6hTl2kfRofd0Jwwwin
HPxA+5rEpwIhAMgg0D4A2U0sJyC/t3ZlpHVCmMSMgVBxlpOF7hJyKuzj
-----END CERTIFICATE-----
)";

constexpr std::nullopt_t no = std::nullopt;

std::vector<Case> names() {
  return {
      {"name", "web-backend_2", "web-backend_2"},
      {"name", "", no},
      {"name", "web backend", no},
      {"name", "w\xc3\xa9", no},
      {"username", "j.doe-2_x", "j.doe-2_x"},
      {"username", "jd", no},
      {"username", "j@doe", no},
      {"email", "J.Doe+x@Company.COM", "J.Doe+x@company.com"},
      {"email", "jdoe", no},
      {"email", "@company.com", no},
      {"email", "jdoe@company", no},
      {"email", ".jdoe@company.com", no},
      {"email", "j..doe@company.com", no},
      {"email", "j doe@company.com", no},
      {"email", repeated("a", 65) + "@company.com", no},
      {"email", "a@" + repeated("abcdefgh.", 28) + "com", no},
      {"version", "v1.0.12", "v1.0.12"},
      {"version", "1.0.0", no},
      {"version", "v1.0", no},
      {"version", "v1.0.0.0", no},
      {"version", "v1.0.x", no},
      {"version", "v1.0.0-rc1", no},
      {"hostname", "proxy-egress-01.company.com", "proxy-egress-01.company.com"},
      {"hostname", "proxy one", no},
      {"node_id", "checkout-1.eu_west", "checkout-1.eu_west"},
      {"node_id", "a/b", no},
      {"node_id", "a:b", no},
      {"comment", "first\nsecond", "first\nsecond"},
  };
}

std::vector<Case> hosts() {
  return {
      {"host", "10.0.1.100", "10.0.1.100"},
      {"host", "10.0.01.100", no},
      {"host", "256.1.1.1", no},
      {"host", "127.1", no},
      {"host", "1.2.3", no},
      {"host", "2130706433", no},
      {"host", "backend", "backend"},
      {"host", "api.internal.company.com.", "api.internal.company.com"},
      {"host", "api..com", no},
      {"host", ".", no},
      {"host", "a_b-c.example", "a_b-c.example"},
      {"host", "ex ample.com", no},
      {"host", repeated("a", 63) + ".com", repeated("a", 63) + ".com"},
      {"host", repeated("a", 64) + ".com", no},
      {"host", "2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
      {"host", "fe80::1%eth0", no},
      {"host", "[::1]", no},
      {"host", "", no},
      {"host", std::string("10.0.0.1\0x", 10), no},
      {"optional_host", "", ""},
      {"optional_host", "1.2.3", no},
  };
}

std::vector<Case> endpoints() {
  return {
      {"host_port", "syslog.company.com:514", "syslog.company.com:514"},
      {"host_port", "[2001:DB8::0]:514", "[2001:db8::]:514"},
      {"host_port", "::1:514", no},
      {"host_port", "[syslog]:514", no},
      {"host_port", "syslog", no},
      {"host_port", "syslog:", no},
      {"host_port", "syslog:0", no},
      {"host_port", "syslog:0514", no},
      {"host_port", "syslog:65536", no},
      {"host_port", "syslog:+514", no},
      {"syslog_endpoint", "syslog.company.com:514", "syslog.company.com:514"},
      {"syslog_endpoint", "udp://syslog:514", "udp://syslog:514"},
      {"syslog_endpoint", "tcp://[2001:DB8::0]:601", "tcp://[2001:db8::]:601"},
      {"syslog_endpoint", "tls://Syslog:6514", "tls://Syslog:6514"},
      {"syslog_endpoint", "TLS://syslog:6514", no},
      {"syslog_endpoint", "http://syslog:6514", no},
      {"syslog_endpoint", "tls:syslog:6514", no},
      {"syslog_endpoint", "tls://syslog", no},
      {"syslog_endpoint", "tls://tls://syslog:1", no},
      {"syslog_endpoint", "tls://u@syslog:1", no},
      {"syslog_endpoint", "tls://syslog:1/", no},
      {"host_pattern", "*", "*"},
      {"host_pattern", "API.Company.com", "api.company.com"},
      {"host_pattern", "*.Company.com.", "*.company.com"},
      {"host_pattern", "10.0.0.1", "10.0.0.1"},
      {"host_pattern", "*.10.0.0.1", no},
      {"host_pattern", "a.*.com", no},
      {"host_pattern", "*company.com", no},
      {"host_pattern", "company.com:80", no},
      {"address", "0.0.0.0", "0.0.0.0"},
      {"address", "0:0:0:0:0:0:0:0", "::"},
      {"address", "localhost", no},
  };
}

std::vector<Case> http() {
  return {
      {"header_name", "X-API-Key", "X-API-Key"},
      {"header_name", ":path", no},
      {"header_name", "X API", no},
      {"path", "/healthz?full=1", "/healthz?full=1"},
      {"path", "healthz", no},
      {"path", "/a b", no},
      {"path", "/a#b", no},
      {"path_prefix", "/", "/"},
      {"path_prefix", "/api/v1/", "/api/v1/"},
      {"path_prefix", "/api//v1", no},
      {"path_prefix", "/api/../v1", no},
      {"path_prefix", "/./api", no},
      {"path_prefix", "/api?x", no},
      {"path_prefix", "/%2e%2e", no},
      {"path_prefix", "/a\\b", no},
      {"path_prefix", "/..a", "/..a"},
  };
}

std::vector<Case> certificates() {
  const std::string pem(certificate);
  return {
      {"optional_certificates", "", ""},
      {"optional_certificates", pem, pem},
      {"optional_certificates", "the root:\n" + pem + pem, "the root:\n" + pem + pem},
      {"optional_certificates", "hello", no},
      {"optional_certificates", pem.substr(0, 200), no},
      {"optional_certificates", pem + pem.substr(0, 200), no},
      {"optional_certificates", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
       no},
      {"optional_certificates",
       "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n" + pem, no},
  };
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const auto& part : {names(), hosts(), endpoints(), http(), certificates()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

TEST(Format, AcceptsNormalisesAndRefuses) {
  for (const Case& each : cases()) {
    std::string text = each.text;
    const bool holds = find_format(each.format).check(text);
    EXPECT_EQ(holds, each.stored.has_value()) << each.format << ": " << each.text;
    if (!holds || !each.stored) continue;
    EXPECT_EQ(text, *each.stored) << each.format;
  }
}

// A client that validates against the OpenAPI document never refuses what the product accepts.
TEST(Format, PatternsAcceptAllThatTheChecksAccept) {
  for (const Case& each : cases()) {
    const Format& format = find_format(each.format);
    if (!each.stored || format.pattern.empty()) continue;
    const std::regex pattern{std::string(format.pattern)};
    EXPECT_TRUE(std::regex_match(each.text, pattern)) << each.format << ": " << each.text;
    EXPECT_TRUE(std::regex_match(*each.stored, pattern)) << each.format << ": " << *each.stored;
  }
}

TEST(Format, NormalFormIsStable) {
  for (const Case& each : cases()) {
    if (!each.stored) continue;
    std::string again = *each.stored;
    EXPECT_TRUE(find_format(each.format).check(again)) << each.format << ": " << again;
    EXPECT_EQ(again, *each.stored);
  }
}

TEST(Format, NamesAreUniqueAndFound) {
  for (const Format& format : all_formats()) EXPECT_EQ(&find_format(format.name), &format);
}

TEST(FormatDeathTest, AnUnknownNameEndsTheProgram) {
  EXPECT_DEATH(find_format("no such format"), "");
}

TEST(Address, Ipv6IsPrintedAsRfc5952Says) {
  const std::vector<std::pair<std::string, std::string>> table{
      {"2001:0db8::0001", "2001:db8::1"},                // 4.1
      {"2001:db8:0:0:0:0:2:1", "2001:db8::2:1"},         // 4.2.1
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},  // 4.2.2
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},           // 4.2.3
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},     // 4.2.3
      {"2001:DB8::ABCD", "2001:db8::abcd"},              // 4.3
      {"::FFFF:C000:0201", "::ffff:192.0.2.1"},          // 5
      {"::192.0.2.1", "::c000:201"},
      {"::", "::"},
      {"::1", "::1"},
      {"1::", "1::"},
      {"1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"},
  };
  for (const auto& [written, normal] : table) EXPECT_EQ(normal_address(written), normal);
  for (const auto* wrong :
       {"::1%lo", "1:2:3", "12345::", "::1::", "[::1]", "1.2.3.4 ", " 1.2.3.4", "1.2.3.04"}) {
    EXPECT_EQ(normal_address(wrong), std::nullopt) << wrong;
  }
}

TEST(Address, TellsTheFamilies) {
  EXPECT_TRUE(is_ipv6("::1"));
  EXPECT_FALSE(is_ipv6("10.0.0.1"));
  EXPECT_FALSE(is_ipv6("a:b"));
}

}  // namespace
}  // namespace mp
