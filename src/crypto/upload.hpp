// Judges the files of a certificate that somebody uploads: whether proxies can serve it, and what
// is wrong with which file. Pure: the time comes in, nothing is kept, no text of a key comes out in
// an issue.
#pragma once

#include "base/error.hpp"
#include "base/secret.hpp"
#include "base/time.hpp"

#include <string>
#include <vector>

namespace mp {

struct CertificateFiles {
  std::string certificate;  // PEM: the server's certificate, then its issuers in order
  Secret key;               // PEM
  std::string authority;    // PEM, or empty
};

// What a certificate says of itself, and the files in the form in which they are kept.
struct CertificateFacts {
  std::string common_name;
  std::vector<std::string> names;  // DNS names in lower case and IP addresses of subjectAltName
  Time not_before;
  Time expires_at;
  std::string fingerprint_sha256;
  CertificateFiles files;  // without words around the blocks; the key as PKCS#8
};

// Adds a violation of cert_file, key_file or ca_file for everything that is wrong; what is returned
// counts only when none was added.
CertificateFacts judge_upload(const CertificateFiles& files, Time now, Violations& violations);

// The same facts of a certificate of our own; throws Internal when it cannot be read.
CertificateFacts facts_of(const CertificateFiles& files);

}  // namespace mp
