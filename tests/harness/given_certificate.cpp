#include "given_certificate.hpp"

#include "crypto/test_certificates.hpp"

#include <regex>

namespace mp::test {
namespace {

// "-20d"
std::chrono::seconds time_of(const std::string& text) {
  if (text.empty()) return std::chrono::seconds(0);
  const int count = std::stoi(text.substr(0, text.size() - 1));
  const char unit = text.back();
  return std::chrono::seconds(count) * (unit == 's'   ? 1
                                        : unit == 'm' ? 60
                                        : unit == 'h' ? 3600
                                                      : 86400);
}

}  // namespace

std::optional<GivenCertificate> read_given_certificate(const std::string& text) {
  static const std::regex form(
      "(certificate|authority) \"([^\"]+)\"( of (\"[^\"]+\"(, \"[^\"]+\")*))?"
      "( from (-?\\d+[smhd]))?( until (\\d+[smhd]))?( key (\\S+))?( by \"([^\"]+)\")?");
  static const std::regex quoted("\"([^\"]+)\"");
  std::smatch parts;
  if (!std::regex_match(text, parts, form)) return std::nullopt;
  GivenCertificate given{.name = parts[2].str(),
                         .is_authority = parts[1].str() == "authority",
                         .hosts = {},
                         .from = time_of(parts[7].str()),
                         .until = time_of(parts[9].matched ? parts[9].str() : "3650d"),
                         .key = parts[11].matched ? parts[11].str() : "P-256",
                         .issuer = parts[13].str()};
  const std::string hosts = parts[4].str();
  for (std::sregex_iterator each(hosts.begin(), hosts.end(), quoted), end; each != end; ++each)
    given.hosts.push_back((*each)[1].str());
  return given;
}

CertificateMaker::CertificateMaker() = default;
CertificateMaker::~CertificateMaker() = default;

CertificateMaker::Pem CertificateMaker::make(const GivenCertificate& given, Time now) {
  MakeCertificate wanted{.begin = now + given.from, .end = now + given.until, .key = given.key};
  wanted.names = given.is_authority ? std::vector{given.name} : given.hosts;
  if (given.is_authority) wanted.purpose = openssl::Purpose::Authority;
  if (!given.issuer.empty()) wanted.issuer = authorities_.at(given.issuer).get();
  auto made = std::make_unique<MadeCertificate>(make_certificate(wanted));
  Pem pem{.certificate = made->pem(), .key = made->key_pem()};
  if (given.is_authority) authorities_[given.name] = std::move(made);
  return pem;
}

}  // namespace mp::test
