// The certificate of the port that proxies connect to: from files, or issued by the manager's own
// authority for 90 days. It is renewed while the program runs; app/manager asks from time to time.
#pragma once

#include "crypto/authority.hpp"
#include "settings/settings.hpp"
#include "xds/server.hpp"

#include <optional>

namespace mp {

class PortCertificate {
 public:
  // Reads the files; throws mp::Error when they are wrong.
  PortCertificate(const Settings& settings, const Authority& authority, const Clock& clock);

  // What the port begins with; nullopt when it has no TLS.
  const std::optional<xds::ServerTls>& tls() const { return tls_; }

  // The next one when it is due: a month before the end, or because the files are other ones.
  // Throws mp::Error when they are wrong. Only from one thread.
  std::optional<xds::ServerTls> renewed();

 private:
  std::optional<xds::ServerTls> make();

  const Settings& settings_;
  const Authority& authority_;
  const Clock& clock_;
  Time due_;
  std::optional<xds::ServerTls> tls_;
};

}  // namespace mp
