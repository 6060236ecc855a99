#include "crypto/account_key.hpp"

#include "crypto/issue.hpp"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <boost/json.hpp>

#include <array>

namespace mp {
namespace {

namespace json = boost::json;
using namespace openssl;

constexpr int coordinate_bytes = 32;  // of P-256

struct FreeSignature {
  void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
};
struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

std::string fixed(const BIGNUM* number) {
  std::array<unsigned char, coordinate_bytes> bytes{};
  must(BN_bn2binpad(number, bytes.data(), coordinate_bytes), "BN_bn2binpad");
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string coordinate(EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  must(EVP_PKEY_get_bn_param(key, name, &number), "EVP_PKEY_get_bn_param");
  const Owned<BIGNUM> kept(number);
  return base64_url(fixed(number));
}

// Members in the order that RFC 7638 wants.
json::object public_key(EVP_PKEY* key) {
  return {{"crv", "P-256"},
          {"kty", "EC"},
          {"x", coordinate(key, OSSL_PKEY_PARAM_EC_PUB_X)},
          {"y", coordinate(key, OSSL_PKEY_PARAM_EC_PUB_Y)}};
}

std::string sha256(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int length = 0;
  must(EVP_Digest(text.data(), text.size(), bytes.data(), &length, EVP_sha256(), nullptr),
       "EVP_Digest");
  return {reinterpret_cast<const char*>(bytes.data()), length};
}

// DER as OpenSSL signs; JSON Web Signatures want both numbers, one behind the other.
std::string raw_signature(EVP_PKEY* key, std::string_view text) {
  const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  std::array<unsigned char, 128> der{};
  std::size_t length = der.size();
  must(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key), "sign");
  must(EVP_DigestSign(context.get(), der.data(), &length, bytes, text.size()), "sign");
  const unsigned char* at = der.data();
  const std::unique_ptr<ECDSA_SIG, FreeSignature> signature(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(length)));
  if (!signature) throw internal("d2i_ECDSA_SIG: " + take_error());
  return fixed(ECDSA_SIG_get0_r(signature.get())) + fixed(ECDSA_SIG_get0_s(signature.get()));
}

}  // namespace

struct AccountKey::Inside {
  Key key;
};

AccountKey::AccountKey(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}
AccountKey::~AccountKey() = default;
AccountKey::AccountKey(AccountKey&&) noexcept = default;
AccountKey& AccountKey::operator=(AccountKey&&) noexcept = default;

AccountKey AccountKey::make() {
  return AccountKey(std::make_unique<Inside>(Inside{new_key(Curve::P256)}));
}

AccountKey::AccountKey(const Secret& pem) {
  auto bio = reader(pem.reveal());
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  if (!key || EVP_PKEY_get_bits(key.get()) != 8 * coordinate_bytes)
    throw internal("the key of the ACME account cannot be read");
  inside_ = std::make_unique<Inside>(Inside{std::move(key)});
}

Secret AccountKey::pem() const { return Secret(to_pem(inside_->key.get())); }

std::string AccountKey::thumbprint() const {
  return base64_url(sha256(json::serialize(public_key(inside_->key.get()))));
}

std::string AccountKey::sign(const Header& header, std::string_view payload) const {
  json::object fields{{"alg", "ES256"}, {"nonce", header.nonce}, {"url", header.url}};
  if (header.account.empty())
    fields["jwk"] = public_key(inside_->key.get());
  else
    fields["kid"] = header.account;
  const std::string head = base64_url(json::serialize(fields));
  const std::string body = base64_url(payload);
  const std::string signature = raw_signature(inside_->key.get(), head + "." + body);
  return json::serialize(
      json::object{{"protected", head}, {"payload", body}, {"signature", base64_url(signature)}});
}

}  // namespace mp
