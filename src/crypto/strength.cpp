#include "crypto/strength.hpp"

#include "crypto/subject.hpp"

#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>

namespace mp::openssl {
namespace {

constexpr int fewest_rsa_bits = 2048;
constexpr int most_rsa_bits = 8192;
constexpr std::array<std::string_view, 3> curves{"prime256v1", "secp384r1", "secp521r1"};
constexpr int fewest_digest_bits = 256;

struct FreeContext {
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};

std::string curve_of(EVP_PKEY* key) {
  std::array<char, 80> name{};
  std::size_t length = 0;
  const bool named = EVP_PKEY_get_group_name(key, name.data(), name.size(), &length) == 1;
  ERR_clear_error();
  return named ? std::string(name.data(), length) : "";
}

}  // namespace

std::string weakness_of_key(EVP_PKEY* key) {
  if (!key) return "has a key that cannot be read";
  const int kind = EVP_PKEY_get_base_id(key);
  if (kind == EVP_PKEY_RSA) {
    const int bits = EVP_PKEY_get_bits(key);
    if (bits < fewest_rsa_bits)
      return "has an RSA key of " + std::to_string(bits) + " bits; 2048 are needed";
    if (bits > most_rsa_bits)
      return "has an RSA key of " + std::to_string(bits) + " bits; 8192 are the most";
    return "";
  }
  if (kind == EVP_PKEY_EC) {
    const bool known = std::ranges::find(curves, curve_of(key)) != curves.end();
    return known ? "" : "has an ECDSA key on a curve that is not P-256, P-384 or P-521";
  }
  if (kind == EVP_PKEY_ED25519) return "";
  return "has a key that is neither RSA nor ECDSA nor Ed25519; proxies serve no other";
}

std::string weakness_of_signature(X509* certificate) {
  int digest = NID_undef, kind = NID_undef;
  const bool known = X509_get_signature_info(certificate, &digest, &kind, nullptr, nullptr) == 1;
  ERR_clear_error();
  if (known && kind == NID_ED25519) return "";
  if (!known || digest == NID_undef) return "is signed in a way that is not known here";
  const EVP_MD* method = EVP_get_digestbynid(digest);
  if (method && EVP_MD_get_size(method) * 8 >= fewest_digest_bits) return "";
  return "is signed with " + std::string(OBJ_nid2sn(digest)) + "; SHA-256 or stronger is needed";
}

std::string not_for_servers(X509* certificate) {
  const auto usage = X509_get_key_usage(certificate);  // all bits when it says nothing
  const auto extended = X509_get_extended_key_usage(certificate);
  if (!(usage & KU_DIGITAL_SIGNATURE)) return "may not be used for digital signatures (keyUsage)";
  if (!(extended & (XKU_SSL_SERVER | XKU_ANYEKU)))
    return "may not be used by servers (extendedKeyUsage)";
  if (server_names_of(certificate).empty())
    return "names no server in subjectAltName; clients do not look at the common name";
  return strange_name_of(certificate);
}

bool is_issued_by(X509* certificate, X509* issuer) {
  const bool issued = X509_check_issued(issuer, certificate) == X509_V_OK &&
                      X509_verify(certificate, X509_get0_pubkey(issuer)) == 1;
  ERR_clear_error();
  return issued;
}

bool is_sound(EVP_PKEY* key) {
  const std::unique_ptr<EVP_PKEY_CTX, FreeContext> context(EVP_PKEY_CTX_new(key, nullptr));
  const bool sound = context && EVP_PKEY_pairwise_check(context.get()) == 1;
  ERR_clear_error();
  return sound;
}

}  // namespace mp::openssl
