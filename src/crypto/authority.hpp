// The manager's own certificate authority (X.509, RFC 5280; P-384): it certifies the port that
// proxies connect to, wildcard certificates and services. Kept in the store, the keys sealed; with
// several managers the first one's is everybody's. Years before it ends a successor is made; both
// are trusted until the older one is over. It also keeps the lists of what was revoked.
#pragma once

#include "base/outside.hpp"
#include "base/secret.hpp"
#include "model/certificate.hpp"
#include "model/issuer.hpp"
#include "store/store.hpp"

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace mp {

// So long before they are issued certificates and lists begin, for clients whose clock is behind.
inline constexpr std::chrono::minutes backdated{5};

// A certificate with its private key, as servers take them.
struct KeyPair {
  std::string certificate_pem;  // leaf first, then its issuers
  Secret key_pem;               // PKCS#8
};

// What a server certificate is to say.
struct ServerRequest {
  std::string common_name;         // at most 64 characters
  std::vector<std::string> names;  // DNS names, *.names, IP addresses; duplicates are dropped
  Time not_after;
};

// A client certificate that names its holder by a SPIFFE id alone.
struct ClientRequest {
  std::string identity;  // "spiffe://…"
  std::string csr;       // PKCS #10, PEM; empty: a fresh key
  Time not_after;
};

struct IssuedClient {
  KeyPair pair;  // without a key when there was a request
  std::string serial;
  Time expires_at;
};

// What was put into a list, as rows know it.
struct Revoked {
  std::string serial;
  std::string fingerprint_sha256;
};

class Authority {
 public:
  // Loads it, or makes it on first use. Throws mp::Error when the stored one cannot be read.
  Authority(Store& store, const Clock& clock);

  // The certificates that are trusted now, PEM, the oldest first.
  std::string certificates_pem() const;
  // A fresh key and a server certificate, good from five minutes ago. It comes from the oldest
  // authority that outlasts it, because that is the one that clients know longest; none is good
  // for longer than its authority.
  KeyPair issue_server(const ServerRequest& request) const;

  // Likewise. Throws Validation of `csr` when that is broken, weak, or not signed with its own key.
  IssuedClient issue_client(const ClientRequest& request) const;

  // Puts a certificate into the list of the authority that issued it; nullopt when none of ours
  // did. Within a write.
  std::optional<Revoked> revoke(Writer& db, const std::string& certificate_pem,
                                RevocationReason reason) const;

  // What is due: a successor, a new list before the old one ends. From a background loop; what
  // another manager has done is not done again.
  void maintain();

 private:
  using Issuers = std::vector<Issuer>;  // the oldest first, those that have ended left out
  std::shared_ptr<const Issuers> issuers() const;
  void reload();
  void import_first();
  void make_successor();
  void renew_list(const Issuer& issuer);

  Store& store_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Issuers> issuers_;
};

}  // namespace mp
