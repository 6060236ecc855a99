// Reads certificates and private keys out of PEM text (RFC 7468) that somebody sends. What is wrong
// with it is a sentence for him, without the text itself. Pure; used by crypto/upload.
#pragma once

#include "crypto/openssl.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace mp::openssl {

inline constexpr std::size_t most_certificates = 10;  // of one file

// Either what was read or what is wrong.
struct PemCertificates {
  std::vector<X509Certificate> certificates;
  std::string issue;
};
struct PemKey {
  Key key;
  std::string issue;
};

// One certificate or more; words before a block are allowed (tools print them), after the last one
// white space alone.
PemCertificates read_certificates(std::string_view text);

// One private key, not encrypted: PKCS#8, or RSA and EC in their own forms.
PemKey read_key(std::string_view text);

// The public key of one certificate request (PKCS #10) that is signed with the private one.
PemKey read_requested_key(std::string_view text);

}  // namespace mp::openssl
