// Keeps the certificate in a folder current: asks for the next one when two thirds of its life are
// over, and goes on asking while the manager is away. Time, waiting and asking come in as
// parameters.
#pragma once

#include "base/outside.hpp"
#include "cli/certificate_folder.hpp"

#include <functional>

namespace mp::cli {

struct NewCertificate {
  Time until;
  std::chrono::seconds ttl{};  // what was asked for
  CertificateFiles files;
};

struct Keeping {
  const Clock& clock;
  std::function<NewCertificate()> issue;  // throws Failure
  std::function<void(std::chrono::milliseconds)> pause;
  std::function<void(const std::string&)> note;
  // Tells who uses the files that they are others now, and why that failed ("": it did not). It is
  // called again until it succeeds. Empty when nobody wants to know.
  std::function<std::string()> tell;
};

// When the next one is asked for.
Time renewal_time(const KeptCertificate& kept);

class CertificateKeeper {
 public:
  // `purpose`: what is asked for. A certificate for another one counts as none.
  CertificateKeeper(Keeping keeping, CertificateFolder& folder, std::string purpose);

  // Throws Failure when there is no new one, and the files stay as they are; or when who uses them
  // could not be told of the newest.
  void renew_when_due();
  // Until `pause` throws. Throws Failure when no certificate is good and no waiting will help.
  [[noreturn]] void run();

 private:
  Time next_time() const;
  bool holds_a_good_one() const;
  void renew();
  void tell();
  std::chrono::seconds time_until_next_try(std::chrono::seconds delay) const;
  void wait_until(Time time) const;

  const Keeping keeping_;
  CertificateFolder& folder_;
  const std::string purpose_;
};

}  // namespace mp::cli
