// A service's certificate, its key and the manager's authorities as files of a folder:
// certificate.pem, key.pem and ca.pem. All change at once, when the link `current` does: whatever
// ends this process, no certificate stands beside another one's key.
#pragma once

#include "base/secret.hpp"
#include "base/time.hpp"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

namespace mp::cli {

struct KeptCertificate {
  std::string purpose;  // what was asked for, and where: another one is not in its place
  Time since;           // by this machine's clock
  Time until;
  std::chrono::seconds ttl{};  // asked for: the clock that `until` is from may be another one
};

struct CertificateFiles {
  std::string certificate;
  Secret key;
  std::string authorities;
};

class CertificateFolder {
 public:
  // The folder is made. Throws Failure (Usage) when another process keeps it, or when files that
  // this class did not make have the names of its own.
  explicit CertificateFolder(std::filesystem::path folder);
  ~CertificateFolder();
  CertificateFolder(const CertificateFolder&) = delete;
  CertificateFolder& operator=(const CertificateFolder&) = delete;

  // What is there; nullopt when it is nothing that this class wrote.
  std::optional<KeptCertificate> kept() const;
  // Throws Failure (Usage), and what was there stays.
  void keep(const KeptCertificate& kept, const CertificateFiles& files);

  // Whether who uses the newest files has been told of them; it is remembered with them.
  bool told() const;
  void set_told();  // throws Failure (Usage)

  const std::filesystem::path& path() const { return folder_; }

 private:
  void remove_all_but(const std::string& newest, const std::string& before) const;

  const std::filesystem::path folder_;
  int lock_ = -1;
};

}  // namespace mp::cli
