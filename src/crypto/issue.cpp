#include "crypto/issue.hpp"

#include "base/outside.hpp"
#include "model/format.hpp"

#include <array>
#include <optional>

#include <arpa/inet.h>

namespace mp::openssl {
namespace {

constexpr long version_3 = 2;  // X.509 counts from 0

Time time_of(const ASN1_TIME* source) {
  std::tm parts{};
  must(ASN1_TIME_to_tm(source, &parts), "ASN1_TIME_to_tm");
  return Time(std::chrono::seconds(::timegm(&parts)));
}

void set_time(ASN1_TIME* target, Time time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  if (!ASN1_TIME_set(target, static_cast<time_t>(seconds)))
    throw internal("ASN1_TIME_set: " + take_error());
}

void set_serial(X509* certificate) {
  std::array<std::byte, 20> bytes{};
  random_bytes(bytes);
  bytes[0] &= std::byte{0x7F};  // positive, and so at most 20 bytes long
  const auto number =
      owned(BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), nullptr),
            "BN_bin2bn");
  if (!BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate))) {
    throw internal("BN_to_ASN1_INTEGER: " + take_error());
  }
}

void set_subject(X509* certificate, const std::string& common_name) {
  X509_NAME* name = X509_get_subject_name(certificate);
  const auto add = [&](const char* key, const std::string& value) {
    must(X509_NAME_add_entry_by_txt(name, key, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(value.data()),
                                    static_cast<int>(value.size()), -1, 0),
         "X509_NAME_add_entry_by_txt");
  };
  add("O", "MarchProxy");
  if (!common_name.empty()) add("CN", common_name);
}

void extend(X509* certificate, X509* issuer, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509V3_set_ctx_nodb(&context);
  const auto extension =
      owned(X509V3_EXT_conf_nid(nullptr, &context, kind, value), "X509V3_EXT_conf_nid");
  must(X509_add_ext(certificate, extension.get(), -1), "X509_add_ext");
}

Owned<ASN1_STRING> encoded(const std::string& name, const std::optional<std::string>& address) {
  auto made = owned(ASN1_STRING_type_new(address ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING),
                    "ASN1_STRING_type_new");
  if (!address) {
    must(ASN1_STRING_set(made.get(), name.data(), static_cast<int>(name.size())),
         "ASN1_STRING_set");
    return made;
  }
  const bool long_form = is_ipv6(*address);
  std::array<unsigned char, 16> bytes{};
  ::inet_pton(long_form ? AF_INET6 : AF_INET, address->c_str(), bytes.data());
  must(ASN1_STRING_set(made.get(), bytes.data(), long_form ? 16 : 4), "ASN1_STRING_set");
  return made;
}

Owned<GENERAL_NAME> general_name(const std::string& name) {
  const auto address = normal_address(name);
  const int kind = address ? GEN_IPADD : name.starts_with("spiffe://") ? GEN_URI : GEN_DNS;
  auto text = encoded(name, address);
  auto general = owned(GENERAL_NAME_new(), "GENERAL_NAME_new");
  GENERAL_NAME_set0_value(general.get(), kind, text.release());
  return general;
}

void add_names(X509* certificate, const std::vector<std::string>& names) {
  const auto list = general_names(names);
  must(X509_add1_ext_i2d(certificate, NID_subject_alt_name, list.get(), 0, 0), "subjectAltName");
}

void add_extensions(X509* certificate, X509* issuer, const CertificateRequest& request) {
  const bool authority = request.purpose == Purpose::Authority;
  extend(certificate, issuer, NID_basic_constraints,
         authority ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE");
  extend(certificate, issuer, NID_key_usage,
         authority ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
  if (!authority) {
    extend(certificate, issuer, NID_ext_key_usage,
           request.purpose == Purpose::Client ? "clientAuth" : "serverAuth");
  }
  extend(certificate, issuer, NID_subject_key_identifier, "hash");
  extend(certificate, issuer, NID_authority_key_identifier, "keyid:always");
  if (!request.names.empty()) add_names(certificate, request.names);
}

}  // namespace

Owned<GENERAL_NAMES> general_names(const std::vector<std::string>& names) {
  auto list = owned(GENERAL_NAMES_new(), "GENERAL_NAMES_new");
  for (const std::string& name : names) {
    auto general = general_name(name);
    must(sk_GENERAL_NAME_push(list.get(), general.get()), "sk_GENERAL_NAME_push");
    general.release();
  }
  return list;
}

Key new_key(Curve curve) {
  return owned(EVP_EC_gen(curve == Curve::P384 ? "P-384" : "P-256"), "EVP_EC_gen");
}

X509Certificate issue(const CertificateRequest& request, EVP_PKEY* key, X509* issuer,
                      EVP_PKEY* issuer_key) {
  X509Certificate certificate = owned(X509_new(), "X509_new");
  X509* made = certificate.get();
  X509* signer = issuer ? issuer : made;
  must(X509_set_version(made, version_3), "X509_set_version");
  set_serial(made);
  set_subject(made, request.common_name);
  must(X509_set_issuer_name(made, X509_get_subject_name(signer)), "X509_set_issuer_name");
  set_time(X509_getm_notBefore(made), request.not_before);
  set_time(X509_getm_notAfter(made), request.not_after);
  must(X509_set_pubkey(made, key), "X509_set_pubkey");
  add_extensions(made, signer, request);
  must(X509_sign(made, issuer_key, EVP_sha384()), "X509_sign");
  return certificate;
}

std::string to_pem(X509* certificate) {
  const auto buffer = owned(BIO_new(BIO_s_mem()), "BIO_new");
  must(PEM_write_bio_X509(buffer.get(), certificate), "PEM_write_bio_X509");
  return text_of(buffer.get());
}

std::string to_pem(EVP_PKEY* key) {
  const auto buffer = owned(BIO_new(BIO_s_secmem()), "BIO_new");
  must(PEM_write_bio_PKCS8PrivateKey(buffer.get(), key, nullptr, nullptr, 0, nullptr, nullptr),
       "PKCS8");
  return text_of(buffer.get());
}

Time begin_of(const X509* certificate) { return time_of(X509_get0_notBefore(certificate)); }
Time end_of(const X509* certificate) { return time_of(X509_get0_notAfter(certificate)); }

}  // namespace mp::openssl
