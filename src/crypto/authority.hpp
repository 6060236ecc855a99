// The manager's own certificate authority (X.509, RFC 5280; P-384, ten years). Its certificate is
// part of every bootstrap; it certifies the port that proxies connect to. Kept in the store, the
// key sealed; with several managers the first one's is everybody's.
#pragma once

#include "base/outside.hpp"
#include "base/secret.hpp"
#include "store/store.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace mp {

// A certificate with its private key, as servers take them.
struct KeyPair {
  std::string certificate_pem;  // leaf first, then its issuers
  Secret key_pem;               // PKCS#8
};

class Authority {
 public:
  // Loads it, or makes it on first use. Throws mp::Error when the stored one cannot be read.
  Authority(Store& store, const Clock& clock);

  // The authority's certificate, PEM.
  const std::string& certificate_pem() const { return own_.certificate_pem; }

  // A fresh key and a server certificate for the names (DNS names, *.names, IP addresses;
  // duplicates are dropped), good from five minutes ago for `validity`, but no longer than the
  // authority itself.
  KeyPair issue_server(const std::vector<std::string>& names, std::chrono::hours validity) const;

 private:
  const Clock& clock_;
  KeyPair own_;
};

// The names by which proxies may reach this manager: this machine's name, localhost, both loopback
// addresses, and the host of `advertise` (host, host:port, [v6]:port, or empty).
std::vector<std::string> server_names(const std::string& advertise);

}  // namespace mp
