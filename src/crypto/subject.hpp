// What a certificate says of whom it names: common name, server names, fingerprint, serial number.
#pragma once

#include "crypto/openssl.hpp"

#include <string>
#include <vector>

namespace mp::openssl {

// The last CN of the subject as UTF-8, at most 255 bytes; empty when there is none that can be
// shown.
std::string common_name_of(X509* certificate);
// The DNS names, in lower case, and IP addresses of subjectAltName, in its order, none twice.
std::vector<std::string> server_names_of(X509* certificate);
// The rest of a sentence about a DNS name that is none (RFC 1123, with *. in front); empty if all
// are.
std::string strange_name_of(X509* certificate);

std::string fingerprint_of(X509* certificate);  // SHA-256 of the DER form, hexadecimal
std::string serial_of(X509* certificate);       // hexadecimal

}  // namespace mp::openssl
