// Which certificate proves which server name at one moment: of all that are in force, the one that
// began last. Also which of the manager's own authorities count. Used by build.cpp, intent and
// port. Remembers its last answer, so that a replacement under the same names touches no mapping.
#pragma once

#include "base/time.hpp"
#include "xds/config.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace mp::xds {

using CertificatePtr = std::shared_ptr<const Certificate>;
using Issuers = std::vector<std::shared_ptr<const Issuer>>;

class Keyring {
 public:
  struct Changes {
    std::set<std::string, std::less<>> names;  // that are proved in another way than before
    std::set<std::int64_t> certificates;       // of other content, or for other names
    bool issuers = false;
    // Whether the answer for this domain may be another one.
    bool concern(std::string_view domain) const;
  };

  // Takes over what there is at `now`; says what is different from before.
  Changes update(const ClusterConfig& config, Time now);

  struct Proof {
    std::vector<std::int64_t> certificates;  // ascending; for some of the names, or for all
    bool whole = false;                      // no name of the domain is without one
  };
  // What proves a domain: "api.example.com", "10.0.0.1", "*.example.com" or "*".
  Proof prove(std::string_view domain) const;

  // Why no certificate proves the name although there is one: a sentence without its end, or empty.
  std::string lapse(std::string_view name) const;

  // Null unless it is in force.
  CertificatePtr find(std::int64_t certificate) const;
  // The DNS names for which no other certificate counts, sorted: "a.example.com", "*.example.com".
  std::vector<std::string> server_names(std::int64_t certificate) const;
  // Certificates in force that another one has replaced under every name, with that one.
  std::vector<std::pair<CertificatePtr, CertificatePtr>> replaced() const;

  // Those that have begun and not ended; their client certificates are trusted.
  const Issuers& issuers() const { return issuers_; }
  // Whether these certificates, PEM, are all of such authorities.
  bool all_ours(std::string_view certificates) const;

 private:
  enum class Standing { InForce, Future, Expired, Revoked };
  struct Entry {
    CertificatePtr certificate;
    Standing standing = Standing::InForce;
    bool operator==(const Entry&) const = default;
  };
  struct Holder {
    std::int64_t certificate = 0;
    Standing standing = Standing::InForce;
    bool operator==(const Holder&) const = default;
  };
  using Holders = std::map<std::string, Holder, std::less<>>;

  static Standing standing_at(const Certificate& certificate, Time now);
  static bool before(const Entry& left, const Entry& right);
  static Holders hold(const std::vector<Entry>& entries);
  static void compare(Changes& changes, const Holders& one, const Holders& other);
  const Holder* holder_of(std::string_view name) const;
  const Entry* entry_of(std::int64_t certificate) const;

  void take_issuers(Changes& changes, const ClusterConfig& config, Time now);
  bool same(const ClusterConfig& config, Time now) const;

  Rows<Certificate, &Certificate::id> certificates_;  // as they were last given
  Time since_, until_;                                // between which they stand as they do
  std::vector<Entry> entries_;                        // by id
  Holders holders_;                                   // by name
  Issuers issuers_;
};

// The names and addresses that a certificate is good for, in lower case. Its common name does not
// count: no client looks at it.
std::vector<std::string> names_of(const Certificate& certificate);
// Whether *.domain, or * for everything, stands for the name; *.domain is below itself.
bool is_below(std::string_view name, std::string_view wildcard);

}  // namespace mp::xds
