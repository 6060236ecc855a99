// Client certificates by which services prove who they are, and taking one back.
#pragma once

#include "model/certificate.hpp"

namespace mp {

struct ServiceCertificateRequest {
  std::string csr;
  int ttl = 86400;
};

inline constexpr std::array service_certificate_request_fields{
    field<&ServiceCertificateRequest::csr>(
        "csr", "Certificate request (PKCS #10), PEM; the key is made here unless it is sent.",
        {.max = 16384, .format = "comment"}),
    field<&ServiceCertificateRequest::ttl>("ttl", "Seconds that the certificate is good for.",
                                           {.min = 300, .max = 31536000}),
};
template <>
inline constexpr Description describe<ServiceCertificateRequest> =
    part<ServiceCertificateRequest>("service_certificate_request", "A client certificate to issue.",
                                    service_certificate_request_fields);

struct ServiceCertificate {
  std::int64_t id = 0;
  std::string certificate;
  std::optional<Secret> private_key;
  std::string ca;
  std::string identity;
  std::string serial;
  Time expires_at;
};

inline constexpr std::array service_certificate_fields{
    field<&ServiceCertificate::id>("id", "Its place among the issued certificates.",
                                   {.mode = Mode::Server, .example = "10"}),
    field<&ServiceCertificate::certificate>(
        "certificate", "The certificate and its issuer, PEM.",
        {.mode = Mode::Server,
         .example = "\"-----BEGIN CERTIFICATE----- ... -----END CERTIFICATE-----\""}),
    field<&ServiceCertificate::private_key>(
        "private_key", "Its key, PEM; only when no csr was sent, and never again.",
        {.mode = Mode::Server,
         .kept = Kept::Once,
         .example = "\"-----BEGIN PRIVATE KEY----- ... -----END PRIVATE KEY-----\""}),
    field<&ServiceCertificate::ca>(
        "ca", "The manager's authorities, PEM.",
        {.mode = Mode::Server,
         .example = "\"-----BEGIN CERTIFICATE----- ... -----END CERTIFICATE-----\""}),
    field<&ServiceCertificate::identity>(
        "identity", "The service's SPIFFE id in it.",
        {.mode = Mode::Server, .example = "\"spiffe://marchproxy/default/web-backend\""}),
    field<&ServiceCertificate::serial>("serial", "Its serial number, hexadecimal.",
                                       {.mode = Mode::Server, .example = "\"5f2b9c0d8e1a4b7c\""}),
    field<&ServiceCertificate::expires_at>("expires_at", "When it ends.", {.mode = Mode::Server}),
};
template <>
inline constexpr Description describe<ServiceCertificate> = part<ServiceCertificate>(
    "service_certificate", "A client certificate of a service.", service_certificate_fields);

struct IssuedRevocation {
  std::string certificate;
  RevocationReason reason = RevocationReason::Unspecified;
};

inline constexpr std::array issued_revocation_fields{
    field<&IssuedRevocation::certificate>(
        "certificate", "A certificate that the manager's authority issued, PEM.",
        {.min = 1,
         .max = 65536,
         .format = "comment",
         .example = "\"-----BEGIN CERTIFICATE-----\\n...\\n-----END CERTIFICATE-----\\n\""}),
    field<&IssuedRevocation::reason>("reason", "Why it is revoked (RFC 5280 CRLReason)."),
};
template <>
inline constexpr Description describe<IssuedRevocation> = part<IssuedRevocation>(
    "issued_revocation", "A certificate to revoke.", issued_revocation_fields);

}  // namespace mp
