#include "crypto/upload.hpp"

#include "crypto/issue.hpp"
#include "crypto/pem.hpp"
#include "crypto/strength.hpp"
#include "crypto/subject.hpp"

namespace mp {
namespace {

using namespace openssl;

using Chain = std::vector<X509Certificate>;

constexpr std::string_view certificate_file = "cert_file";
constexpr std::string_view key_file = "key_file";
constexpr std::string_view authority_file = "ca_file";

class Judge {
 public:
  Judge(Time now, Violations& violations) : now_(now), violations_(violations) {}

  void add(std::string_view file, std::string issue) {
    violations_.push_back({std::string(file), std::move(issue)});
  }
  void add_if(std::string_view file, const std::string& subject, const std::string& issue) {
    if (!issue.empty()) add(file, subject + issue);
  }

  void judge_dates(std::string_view file, const std::string& subject, const X509* certificate) {
    const Time begin = begin_of(certificate), end = end_of(certificate);
    if (begin >= end)
      add(file, subject + "ends before it begins");
    else if (now_ >= end)
      add(file, subject + "expired at " + to_string(end));
  }

  void judge_leaf(X509* leaf) {
    judge_dates(certificate_file, "Certificate 1 ", leaf);
    add_if(certificate_file, "Certificate 1 ", weakness_of_key(X509_get0_pubkey(leaf)));
    add_if(certificate_file, "Certificate 1 ", weakness_of_signature(leaf));
    add_if(certificate_file, "Certificate 1 ", not_for_servers(leaf));
  }

  // Each is signed by the one behind it.
  void judge_chain(const Chain& chain) {
    for (std::size_t at = 1; at < chain.size(); ++at) {
      X509* issuer = chain[at].get();
      const std::string subject = "Certificate " + std::to_string(at + 1) + " ";
      if (!is_issued_by(chain[at - 1].get(), issuer)) {
        add(certificate_file, subject +
                                  "did not issue the one before it: the server's certificate "
                                  "comes first, each followed by its issuer");
        return;
      }
      judge_authority(certificate_file, subject, issuer);
    }
  }

  void judge_authority(std::string_view file, const std::string& subject, X509* certificate) {
    judge_dates(file, subject, certificate);
    if (X509_check_ca(certificate) != 1) add(file, subject + "is not an authority's (CA)");
    add_if(file, subject, weakness_of_key(X509_get0_pubkey(certificate)));
    if (!is_issued_by(certificate, certificate))
      add_if(file, subject, weakness_of_signature(certificate));
  }

  void judge_key(EVP_PKEY* key, const Chain& chain) {
    for (std::size_t at = 0; at < chain.size(); ++at) {
      if (EVP_PKEY_eq(X509_get0_pubkey(chain[at].get()), key) != 1) continue;
      if (at > 0)
        add(certificate_file, "Certificate " + std::to_string(at + 1) +
                                  " is the one that key_file belongs to; it must come first");
      else if (weakness_of_key(key).empty() && !is_sound(key))
        add(key_file, "Is damaged: its private half does not fit its public half");
      return;
    }
    ERR_clear_error();
    add(key_file, "Does not belong to the certificate in cert_file");
  }

  void judge_authorities(const Chain& authorities, const Chain& chain) {
    for (std::size_t at = 0; at < authorities.size(); ++at) {
      judge_authority(authority_file, "Certificate " + std::to_string(at + 1) + " ",
                      authorities[at].get());
    }
    X509* last = chain.back().get();
    for (const X509Certificate& each : authorities) {
      if (is_issued_by(last, each.get()) || X509_cmp(last, each.get()) == 0) return;
    }
    add(authority_file, "Did not issue the last certificate in cert_file");
  }

 private:
  Time now_;
  Violations& violations_;
};

std::string pem_of(const Chain& chain) {
  std::string pem;
  for (const X509Certificate& each : chain) pem += to_pem(each.get());
  return pem;
}

CertificateFacts facts(const Chain& chain, EVP_PKEY* key, const Chain& authorities) {
  X509* leaf = chain.front().get();
  return {.common_name = common_name_of(leaf),
          .names = server_names_of(leaf),
          .not_before = begin_of(leaf),
          .expires_at = end_of(leaf),
          .fingerprint_sha256 = fingerprint_of(leaf),
          .files = {.certificate = pem_of(chain),
                    .key = Secret(to_pem(key)),
                    .authority = pem_of(authorities)}};
}

}  // namespace

CertificateFacts judge_upload(const CertificateFiles& files, Time now, Violations& violations) {
  Judge judge(now, violations);
  const PemCertificates chain = read_certificates(files.certificate);
  const PemKey key = read_key(files.key.reveal());
  PemCertificates authorities;
  if (!files.authority.empty()) authorities = read_certificates(files.authority);
  judge.add_if(certificate_file, "", chain.issue);
  judge.add_if(key_file, "", key.issue);
  judge.add_if(authority_file, "", authorities.issue);
  if (chain.certificates.empty()) return {};
  judge.judge_leaf(chain.certificates.front().get());
  judge.judge_chain(chain.certificates);
  if (key.key) judge.judge_key(key.key.get(), chain.certificates);
  if (!authorities.certificates.empty())
    judge.judge_authorities(authorities.certificates, chain.certificates);
  if (!violations.empty()) return {};
  return facts(chain.certificates, key.key.get(), authorities.certificates);
}

CertificateFacts facts_of(const CertificateFiles& files) {
  const PemCertificates chain = read_certificates(files.certificate);
  const PemKey key = read_key(files.key.reveal());
  PemCertificates authorities;
  if (!files.authority.empty()) authorities = read_certificates(files.authority);
  const std::string issue = chain.issue + key.issue + authorities.issue;
  if (!issue.empty()) throw internal("a certificate of our own cannot be read: " + issue);
  return facts(chain.certificates, key.key.get(), authorities.certificates);
}

}  // namespace mp
