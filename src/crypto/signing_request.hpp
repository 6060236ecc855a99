// A certificate signing request (PKCS #10, RFC 2986) for server names, as an authority outside
// takes it.
#pragma once

#include "base/secret.hpp"

#include <string>
#include <vector>

namespace mp {

struct SigningRequest {
  Secret key_pem;   // a fresh P-256 key, PKCS#8
  std::string der;  // the request, signed with it; the names are its subjectAltName
};

// `names`: DNS names, *.domain among them; at least one.
SigningRequest make_signing_request(const std::vector<std::string>& names);

}  // namespace mp
