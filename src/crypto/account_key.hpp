// The key of an ACME account (RFC 8555 §6.2): signs its requests as flattened JSON Web Signatures
// with ES256 (RFC 7515 §7.2.2, RFC 7518 §3.4). By OpenSSL, because the JOSE library refuses the
// empty payload that reading takes (§6.3).
#pragma once

#include "base/secret.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace mp {

class AccountKey {
 public:
  // A fresh P-256 key.
  static AccountKey make();
  // Throws Internal for text that is no such key.
  explicit AccountKey(const Secret& pem);
  ~AccountKey();
  AccountKey(AccountKey&&) noexcept;
  AccountKey& operator=(AccountKey&&) noexcept;

  Secret pem() const;

  // SHA-256 of the public key's canonical form, base64url (RFC 7638).
  std::string thumbprint() const;

  struct Header {
    std::string url;
    std::string nonce;
    std::string account;  // its URL; empty: the request carries the public key instead
  };
  std::string sign(const Header& header, std::string_view payload) const;

 private:
  struct Inside;
  explicit AccountKey(std::unique_ptr<Inside> inside);
  std::unique_ptr<Inside> inside_;
};

}  // namespace mp
