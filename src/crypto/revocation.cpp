#include "crypto/revocation.hpp"

#include <array>

namespace mp::openssl {
namespace {

constexpr long version_2 = 1;  // counted from 0

// CRLReason, in the order of RevocationReason.
constexpr std::array<long, names_of<RevocationReason>.size()> reason_codes{0, 1, 2, 3, 4, 5, 9};

Owned<ASN1_TIME> asn1_time(Time time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  return owned(ASN1_TIME_set(nullptr, static_cast<time_t>(seconds)), "ASN1_TIME_set");
}

Owned<ASN1_INTEGER> integer_of_hex(const std::string& hex) {
  BIGNUM* parsed = nullptr;
  if (BN_hex2bn(&parsed, hex.c_str()) != static_cast<int>(hex.size()))
    throw internal("a serial number is not hexadecimal");
  const Owned<BIGNUM> number(parsed);
  return owned(BN_to_ASN1_INTEGER(number.get(), nullptr), "BN_to_ASN1_INTEGER");
}

void add_entry(X509_CRL* list, const Revocation& revocation) {
  auto entry = owned(X509_REVOKED_new(), "X509_REVOKED_new");
  must(X509_REVOKED_set_serialNumber(entry.get(), integer_of_hex(revocation.serial).get()),
       "X509_REVOKED_set_serialNumber");
  must(X509_REVOKED_set_revocationDate(entry.get(), asn1_time(revocation.revoked_at).get()),
       "X509_REVOKED_set_revocationDate");
  // "Unspecified" is said by saying nothing (RFC 5280 §5.3.1).
  if (revocation.reason != RevocationReason::Unspecified) {
    const auto code = owned(ASN1_ENUMERATED_new(), "ASN1_ENUMERATED_new");
    must(ASN1_ENUMERATED_set(code.get(), reason_codes[static_cast<std::size_t>(revocation.reason)]),
         "ASN1_ENUMERATED_set");
    must(X509_REVOKED_add1_ext_i2d(entry.get(), NID_crl_reason, code.get(), 0, 0), "reasonCode");
  }
  must(X509_CRL_add0_revoked(list, entry.get()), "X509_CRL_add0_revoked");
  entry.release();
}

void add_extensions(X509_CRL* list, X509* issuer, std::int64_t number) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, nullptr, nullptr, list, 0);
  X509V3_set_ctx_nodb(&context);
  const auto key_id =
      owned(X509V3_EXT_conf_nid(nullptr, &context, NID_authority_key_identifier, "keyid:always"),
            "authorityKeyIdentifier");
  must(X509_CRL_add_ext(list, key_id.get(), -1), "X509_CRL_add_ext");
  const auto count = owned(ASN1_INTEGER_new(), "ASN1_INTEGER_new");
  must(ASN1_INTEGER_set_int64(count.get(), number), "ASN1_INTEGER_set_int64");
  must(X509_CRL_add1_ext_i2d(list, NID_crl_number, count.get(), 0, 0), "cRLNumber");
}

}  // namespace

std::string signed_list(const ListRequest& request, X509* issuer, EVP_PKEY* issuer_key) {
  const auto made = owned(X509_CRL_new(), "X509_CRL_new");
  X509_CRL* list = made.get();
  must(X509_CRL_set_version(list, version_2), "X509_CRL_set_version");
  must(X509_CRL_set_issuer_name(list, X509_get_subject_name(issuer)), "X509_CRL_set_issuer_name");
  must(X509_CRL_set1_lastUpdate(list, asn1_time(request.this_update).get()), "thisUpdate");
  must(X509_CRL_set1_nextUpdate(list, asn1_time(request.next_update).get()), "nextUpdate");
  for (const Revocation& each : request.revoked) add_entry(list, each);
  must(X509_CRL_sort(list), "X509_CRL_sort");
  add_extensions(list, issuer, request.number);
  must(X509_CRL_sign(list, issuer_key, EVP_sha384()), "X509_CRL_sign");
  const auto buffer = owned(BIO_new(BIO_s_mem()), "BIO_new");
  must(PEM_write_bio_X509_CRL(buffer.get(), list), "PEM_write_bio_X509_CRL");
  return text_of(buffer.get());
}

}  // namespace mp::openssl
