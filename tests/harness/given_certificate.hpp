// `given certificate "shop" of "shop.example" until 90d`: certificates that conversations upload.
#pragma once

#include "base/time.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mp::test {

struct MadeCertificate;

struct GivenCertificate {
  std::string name;
  bool is_authority = false;
  std::vector<std::string> hosts;
  std::chrono::seconds from{0};
  std::chrono::seconds until{0};
  std::string key;
  std::string issuer;  // name of a given authority; itself when empty
};

// nullopt when the text says something else.
std::optional<GivenCertificate> read_given_certificate(const std::string& text);

// Makes them and remembers authorities by name.
class CertificateMaker {
 public:
  CertificateMaker();
  ~CertificateMaker();
  struct Pem {
    std::string certificate;
    std::string key;
  };
  Pem make(const GivenCertificate& given, Time now);

 private:
  std::map<std::string, std::unique_ptr<MadeCertificate>> authorities_;
};

}  // namespace mp::test
