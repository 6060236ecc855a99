// A certificate that proxies serve to callers: uploaded, or issued by one of the manager's own
// authorities. Its private key is sealed in the database and leaves only towards proxies.
#pragma once

#include "model/status.hpp"

namespace mp {

enum class CertificateSource { File, Auto, Vault, Infisical, Acme };
template <>
inline constexpr std::array names_of<CertificateSource>{
    std::string_view("file"), std::string_view("auto"), std::string_view("vault"),
    std::string_view("infisical"), std::string_view("acme")};

enum class CertificateStatus { Active, Expired, Revoked };
template <>
inline constexpr std::array names_of<CertificateStatus>{
    std::string_view("active"), std::string_view("expired"), std::string_view("revoked")};

// CRLReason of RFC 5280 §5.3.1, without those that end a hold or concern other kinds of lists.
enum class RevocationReason {
  Unspecified,
  KeyCompromise,
  CaCompromise,
  AffiliationChanged,
  Superseded,
  CessationOfOperation,
  PrivilegeWithdrawn
};
template <>
inline constexpr std::array names_of<RevocationReason>{
    std::string_view("unspecified"),        std::string_view("key_compromise"),
    std::string_view("ca_compromise"),      std::string_view("affiliation_changed"),
    std::string_view("superseded"),         std::string_view("cessation_of_operation"),
    std::string_view("privilege_withdrawn")};

// A renewal by an ACME server that is under way or has failed.
struct CertificateRenewal {
  bool is_under_way = false;
  Time next_attempt_at;
  int failures = 0;
  std::string error;
};
inline constexpr std::array certificate_renewal_fields{
    field<&CertificateRenewal::is_under_way>("is_under_way", "Whether the server works on it.",
                                             {.mode = Mode::Server}),
    field<&CertificateRenewal::next_attempt_at>("next_attempt_at", "When the next step is due.",
                                                {.mode = Mode::Server}),
    field<&CertificateRenewal::failures>("failures", "Failures in a row.", {.mode = Mode::Server}),
    field<&CertificateRenewal::error>("error", "Why the last one failed, empty if none did.",
                                      {.mode = Mode::Server}),
};
template <>
inline constexpr Description describe<CertificateRenewal> =
    part<CertificateRenewal>("certificate_renewal", "A renewal that is under way or has failed.",
                             certificate_renewal_fields);

struct Certificate {
  std::int64_t id = 0;
  std::string name;
  std::string common_name;
  std::vector<std::string> subject_alt_names;
  CertificateSource source_type = CertificateSource::File;
  bool auto_renew = false;
  Time not_before;
  Time expires_at;
  CertificateStatus status = CertificateStatus::Active;
  std::string fingerprint_sha256;
  std::optional<std::int64_t> cluster_id;
  std::optional<Time> revoked_at;
  std::optional<RevocationReason> revocation_reason;
  Status delivery;
  std::optional<CertificateRenewal> renewal;
  Time created_at;
  Time updated_at;
  std::int64_t revision = 1;
  std::string cert_pem;
  Secret key_pem;
  std::string ca_pem;
};

inline constexpr std::array certificate_fields{
    field<&Certificate::id>("id", "Identifier.", {.mode = Mode::Server, .sort = true}),
    field<&Certificate::name>(
        "name", "Name, unique among all certificates.",
        {.min = 1, .max = 255, .sort = true, .search = true, .example = "\"*.company.com\""}),
    field<&Certificate::common_name>(
        "common_name", "Common name of the subject, empty if none.",
        {.mode = Mode::Server, .search = true, .example = "\"*.company.com\""}),
    field<&Certificate::subject_alt_names>(
        "subject_alt_names", "Server names that it is good for.",
        {.mode = Mode::Server, .example = "[\"*.company.com\", \"company.com\"]"}),
    field<&Certificate::source_type>(
        "source_type",
        "Where it comes from: an upload, the manager's own authority (auto), or an ACME server.",
        {.mode = Mode::Server}),
    field<&Certificate::auto_renew>("auto_renew", "Whether it is renewed before it expires."),
    field<&Certificate::not_before>("not_before", "When it begins to be good.",
                                    {.mode = Mode::Server}),
    field<&Certificate::expires_at>("expires_at", "When it ends.",
                                    {.mode = Mode::Server, .sort = true}),
    field<&Certificate::status>("status", "Whether it is good: by the clock, and by revocation.",
                                {.mode = Mode::Server, .kept = Kept::Computed, .filter = true}),
    field<&Certificate::fingerprint_sha256>(
        "fingerprint_sha256", "SHA-256 of its DER form, in hexadecimal.",
        {.mode = Mode::Server, .example = "\"5f2b9c0d8e1a4b7c\""}),
    field<&Certificate::cluster_id>(
        "cluster_id", "Cluster it is for; null for all clusters.",
        {.mode = Mode::Fixed, .min = 1, .references = "cluster", .filter = true, .example = "1"}),
    field<&Certificate::revoked_at>("revoked_at", "When it was revoked.", {.mode = Mode::Server}),
    field<&Certificate::revocation_reason>("revocation_reason", "Why it was revoked.",
                                           {.mode = Mode::Server}),
    field<&Certificate::delivery>("delivery", "Whether proxies hold it.",
                                  {.mode = Mode::Server, .kept = Kept::Computed}),
    field<&Certificate::renewal>("renewal",
                                 "Its renewal by an ACME server, while one is due or fails.",
                                 {.mode = Mode::Server, .kept = Kept::Computed}),
    field<&Certificate::created_at>("created_at", "When it was made.",
                                    {.mode = Mode::Server, .sort = true}),
    field<&Certificate::updated_at>("updated_at", "When it last changed.",
                                    {.mode = Mode::Server, .sort = true}),
    field<&Certificate::revision>("revision", "Counts its changes; the ETag.",
                                  {.mode = Mode::Hidden}),
    field<&Certificate::cert_pem>("cert_pem", "Certificate and chain, leaf first, PEM.",
                                  {.mode = Mode::Hidden}),
    field<&Certificate::key_pem>("key_pem", "Private key, PKCS#8 PEM, sealed.",
                                 {.mode = Mode::Hidden}),
    field<&Certificate::ca_pem>("ca_pem", "Authority that was uploaded with it, PEM, or empty.",
                                {.mode = Mode::Hidden}),
};
template <>
inline constexpr Description describe<Certificate> =
    resource<Certificate>("certificate", "certificates",
                          "A certificate that proxies serve to callers.", certificate_fields);

// Revoked counts before expired. `now` equal to expires_at is expired. For all sorts of them.
template <class Any>
CertificateStatus status_at(const Any& certificate, Time now) {
  if (certificate.revoked_at) return CertificateStatus::Revoked;
  return now >= certificate.expires_at ? CertificateStatus::Expired : CertificateStatus::Active;
}

// Whether proxies are given it: neither revoked, nor over, nor still to come.
inline bool is_delivered_at(const Certificate& certificate, Time now) {
  return status_at(certificate, now) == CertificateStatus::Active && now >= certificate.not_before;
}

// Whether one of its names is good for the host: equal without case, or *.domain for exactly one
// label in front of the domain (RFC 6125 §6.4.3). A host that is *.domain itself needs that name.
bool covers(const Certificate& certificate, std::string_view host);

}  // namespace mp
