// Lists of revoked certificates (CRL, RFC 5280 §5): the signed list of one authority. Pure.
#pragma once

#include "base/time.hpp"
#include "crypto/openssl.hpp"
#include "model/certificate.hpp"

#include <string>
#include <vector>

namespace mp::openssl {

struct Revocation {
  std::string serial;  // hexadecimal
  Time revoked_at;
  RevocationReason reason = RevocationReason::Unspecified;
};

struct ListRequest {
  std::vector<Revocation> revoked;
  std::int64_t number = 1;  // cRLNumber, growing
  Time this_update;
  Time next_update;
};

// Signed by the issuer, version 2, PEM.
std::string signed_list(const ListRequest& request, X509* issuer, EVP_PKEY* issuer_key);

}  // namespace mp::openssl
