// What clients send about certificates: the parts of an upload, a wildcard to issue, a revocation,
// and how to delete.
#pragma once

#include "model/certificate.hpp"

namespace mp {

struct CertificateUpload {
  std::string name;
  std::string cert_file;
  Secret key_file;
  std::string ca_file;
  bool auto_renew = false;
  std::optional<std::int64_t> cluster_id;
};

inline constexpr std::array certificate_upload_fields{
    field<&CertificateUpload::name>("name", "Name, unique among all certificates.",
                                    {.min = 1, .max = 255, .example = "\"shop\""}),
    field<&CertificateUpload::cert_file>(
        "cert_file", "The server's certificate, then its issuers in order, PEM.",
        {.min = 1,
         .max = 262144,
         .format = "pem_file",
         .sensitive = true,
         .example = "\"-----BEGIN CERTIFICATE-----\\n...\\n-----END CERTIFICATE-----\\n\""}),
    field<&CertificateUpload::key_file>(
        "key_file", "Its private key without pass phrase, PEM.",
        {.min = 1,
         .max = 65536,
         .format = "pem_file",
         .sensitive = true,
         .example = "\"-----BEGIN PRIVATE KEY-----\\n...\\n-----END PRIVATE KEY-----\\n\""}),
    field<&CertificateUpload::ca_file>("ca_file", "The authority that issued it, PEM.",
                                       {.max = 262144, .format = "pem_file", .sensitive = true}),
    field<&CertificateUpload::auto_renew>("auto_renew", "Whether it is renewed before it expires."),
    field<&CertificateUpload::cluster_id>(
        "cluster_id", "Cluster it is for; all clusters unless set.",
        {.mode = Mode::Fixed, .min = 1, .references = "cluster", .example = "1"}),
};
template <>
inline constexpr Description describe<CertificateUpload> = part<CertificateUpload>(
    "certificate_upload", "A certificate and its key, as files.", certificate_upload_fields);

struct WildcardRequest {
  std::string domain;
  int validity_years = 1;
  std::optional<std::int64_t> cluster_id;
};

inline constexpr std::array wildcard_request_fields{
    field<&WildcardRequest::domain>(
        "domain", "Domain; the certificate is for it and for every name one label below it.",
        {.min = 3, .max = 251, .format = "domain", .example = "\"company.com\""}),
    field<&WildcardRequest::validity_years>("validity_years", "Years that it is good for.",
                                            {.min = 1, .max = 10, .example = "10"}),
    field<&WildcardRequest::cluster_id>("cluster_id", "Cluster it is for; all clusters unless set.",
                                        {.min = 1, .references = "cluster", .example = "1"}),
};
template <>
inline constexpr Description describe<WildcardRequest> = part<WildcardRequest>(
    "wildcard_request", "A wildcard certificate to issue.", wildcard_request_fields);

struct RevocationRequest {
  RevocationReason reason = RevocationReason::Unspecified;
};

inline constexpr std::array revocation_request_fields{
    field<&RevocationRequest::reason>("reason", "Why it is revoked (RFC 5280 CRLReason)."),
};
template <>
inline constexpr Description describe<RevocationRequest> = part<RevocationRequest>(
    "revocation_request", "Why a certificate is revoked.", revocation_request_fields);

struct CertificateDeletion {
  bool force = false;
};

inline constexpr std::array certificate_deletion_fields{
    field<&CertificateDeletion::force>("force", "Whether to delete it although mappings need it."),
};
template <>
inline constexpr Description describe<CertificateDeletion> = part<CertificateDeletion>(
    "certificate_deletion", "How to delete a certificate.", certificate_deletion_fields);

}  // namespace mp
