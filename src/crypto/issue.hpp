// Makes X.509 certificates (RFC 5280): the hygiene that all of them share. Used by the authority.
#pragma once

#include "base/time.hpp"
#include "crypto/openssl.hpp"

#include <string>
#include <vector>

namespace mp::openssl {

// What a certificate is for, and so its basicConstraints, keyUsage and extendedKeyUsage.
enum class Purpose { Authority, Server, Client };

struct CertificateRequest {
  Purpose purpose = Purpose::Server;
  std::string common_name;         // at most 64 characters; none when empty
  std::vector<std::string> names;  // subjectAltName: IP addresses, DNS names, spiffe:// URIs
  Time not_before;
  Time not_after;
};

enum class Curve { P256, P384 };
Key new_key(Curve curve);

// Signed by `issuer` with `issuer_key`; by itself when `issuer` is null. The serial number has 159
// random bits.
X509Certificate issue(const CertificateRequest& request, EVP_PKEY* key, X509* issuer,
                      EVP_PKEY* issuer_key);

// A subjectAltName of IP addresses, DNS names and spiffe:// URIs. Built as objects, not as text, so
// that a name cannot smuggle in another one.
Owned<GENERAL_NAMES> general_names(const std::vector<std::string>& names);

std::string to_pem(X509* certificate);
std::string to_pem(EVP_PKEY* key);  // PKCS#8, not encrypted

Time begin_of(const X509* certificate);
Time end_of(const X509* certificate);

}  // namespace mp::openssl
