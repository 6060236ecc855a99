// Certificates for tests, made at run time: good ones, and ones with a chosen flaw.
#pragma once

#include "crypto/issue.hpp"

#include <stdexcept>
#include <string>
#include <vector>

namespace mp::test {

struct MadeCertificate {
  openssl::X509Certificate x509;
  openssl::Key key;
  std::string pem() const { return openssl::to_pem(x509.get()); }
  std::string key_pem() const { return openssl::to_pem(key.get()); }
};

struct MakeCertificate {
  std::vector<std::string> names{"shop.example"};
  Time begin;
  Time end;
  std::string key = "P-256";  // also P-384, P-521, secp256k1, rsa:BITS, ed25519, ed448
  openssl::Purpose purpose = openssl::Purpose::Server;
  const MadeCertificate* issuer = nullptr;  // itself unless set
  const EVP_MD* digest = nullptr;           // SHA-384 unless set
};

inline openssl::Key make_key(const std::string& kind) {
  EVP_PKEY* key = kind.starts_with("rsa:") ? EVP_RSA_gen(std::stoul(kind.substr(4)))
                  : kind.starts_with("ed") ? EVP_PKEY_Q_keygen(nullptr, nullptr, kind.c_str())
                                           : EVP_EC_gen(kind.c_str());
  return openssl::owned(key, "test key");
}

inline MadeCertificate make_certificate(const MakeCertificate& wanted) {
  MadeCertificate made{.x509 = nullptr, .key = make_key(wanted.key)};
  const openssl::CertificateRequest request{
      .purpose = wanted.purpose,
      .common_name = wanted.names.empty() ? "nameless" : wanted.names.front(),
      .names =
          wanted.purpose == openssl::Purpose::Authority ? std::vector<std::string>() : wanted.names,
      .not_before = wanted.begin,
      .not_after = wanted.end};
  // Ed25519 and Ed448 sign without a digest, issue() signs with one.
  const openssl::Key stand_in = wanted.key.starts_with("ed") ? make_key("P-256") : nullptr;
  EVP_PKEY* signer = wanted.issuer ? wanted.issuer->key.get()
                     : stand_in    ? stand_in.get()
                                   : made.key.get();
  made.x509 = openssl::issue(request, made.key.get(),
                             wanted.issuer ? wanted.issuer->x509.get() : nullptr, signer);
  if (stand_in && !wanted.issuer) X509_sign(made.x509.get(), made.key.get(), nullptr);
  if (wanted.digest) X509_sign(made.x509.get(), signer, wanted.digest);
  return made;
}

}  // namespace mp::test
