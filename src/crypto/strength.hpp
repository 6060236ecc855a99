// Whether Envoy and today's clients take a certificate: key, signature, and what it may be used
// for. Each answers with the rest of a sentence about the certificate, empty when it is good.
#pragma once

#include "crypto/openssl.hpp"

#include <string>

namespace mp::openssl {

// RSA of 2048 to 8192 bits, ECDSA on P-256, P-384 or P-521, or Ed25519: what Envoy's TLS serves.
std::string weakness_of_key(EVP_PKEY* key);
// SHA-256 or stronger, or Ed25519.
std::string weakness_of_signature(X509* certificate);
// Names of servers in subjectAltName, and no use that excludes servers.
std::string not_for_servers(X509* certificate);

// Whether `issuer` is named as its issuer and signed it.
bool is_issued_by(X509* certificate, X509* issuer);
// Whether the halves of a private key belong together. A weak key is not tried.
bool is_sound(EVP_PKEY* key);

}  // namespace mp::openssl
