// A client certificate that the manager's own authority issued to a service, as it is remembered:
// who may have it, until when, and whether it was taken back. Its private key is not kept.
#pragma once

#include "model/certificate.hpp"

namespace mp {

struct IssuedCertificate {
  std::int64_t id = 0;
  std::string serial;
  std::string identity;
  std::int64_t service_id = 0;
  std::int64_t cluster_id = 0;
  std::string issued_by;
  CertificateStatus status = CertificateStatus::Active;
  Time expires_at;
  std::optional<Time> revoked_at;
  std::optional<RevocationReason> revocation_reason;
  Time created_at;
  Time updated_at;
  std::int64_t revision = 1;
  std::string cert_pem;
};

inline constexpr std::array issued_certificate_fields{
    field<&IssuedCertificate::id>("id", "Identifier.", {.mode = Mode::Server, .sort = true}),
    field<&IssuedCertificate::serial>(
        "serial", "Its serial number, hexadecimal.",
        {.mode = Mode::Server, .search = true, .example = "\"5f2b9c0d8e1a4b7c\""}),
    field<&IssuedCertificate::identity>(
        "identity", "The service's SPIFFE id in it, with the name of that time.",
        {.mode = Mode::Server,
         .search = true,
         .example = "\"spiffe://marchproxy/default/web-backend\""}),
    field<&IssuedCertificate::service_id>("service_id",
                                          "Service that it was issued to; it may be gone.",
                                          {.mode = Mode::Server, .filter = true, .example = "42"}),
    field<&IssuedCertificate::cluster_id>(
        "cluster_id", "Cluster of that service.",
        {.mode = Mode::Server, .references = "cluster", .filter = true, .example = "1"}),
    field<&IssuedCertificate::issued_by>("issued_by", "Who asked for it.",
                                         {.mode = Mode::Server, .example = "\"admin\""}),
    field<&IssuedCertificate::status>(
        "status", "Whether it is good: by the clock, and by revocation.",
        {.mode = Mode::Server, .kept = Kept::Computed, .filter = true}),
    field<&IssuedCertificate::expires_at>("expires_at", "When it ends.",
                                          {.mode = Mode::Server, .sort = true}),
    field<&IssuedCertificate::revoked_at>("revoked_at", "When it was revoked.",
                                          {.mode = Mode::Server}),
    field<&IssuedCertificate::revocation_reason>("revocation_reason", "Why it was revoked.",
                                                 {.mode = Mode::Server}),
    field<&IssuedCertificate::created_at>("created_at", "When it was issued.",
                                          {.mode = Mode::Server, .sort = true}),
    field<&IssuedCertificate::updated_at>("updated_at", "When this last changed.",
                                          {.mode = Mode::Server}),
    field<&IssuedCertificate::revision>("revision", "Counts its changes; the ETag.",
                                        {.mode = Mode::Hidden}),
    field<&IssuedCertificate::cert_pem>("cert_pem", "The certificate, PEM.",
                                        {.mode = Mode::Hidden}),
};
template <>
inline constexpr Description describe<IssuedCertificate> = resource<IssuedCertificate>(
    "issued_certificate", "issued_certificates", "A client certificate that a service was issued.",
    issued_certificate_fields);

}  // namespace mp
