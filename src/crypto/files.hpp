// Certificates and keys that the operator gives as PEM files (settings xds.certificate, xds.key,
// xds.client_ca, tls.certificate, tls.key). They are checked at start, so that a wrong file is one
// clear line and not a failed handshake later.
#pragma once

#include "base/time.hpp"
#include "crypto/authority.hpp"

#include <string>

namespace mp {

struct PairFiles {
  std::string certificate;          // path
  std::string key;                  // path
  std::string certificate_setting;  // "xds.certificate", for messages
  std::string key_setting;
};

// Both files, at most 1 MiB each. Throws mp::Error (Validation) naming setting and file when one
// cannot be read or parsed, the key is not the certificate's, or the certificate has expired at
// `now`.
KeyPair read_pair(const PairFiles& files, Time now);

// A file of one or more certificates to trust. Throws likewise.
std::string read_authorities(const std::string& path, const std::string& setting);

}  // namespace mp
