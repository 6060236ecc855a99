#include "crypto/signing_request.hpp"

#include "crypto/issue.hpp"

namespace mp {
namespace {

using namespace openssl;

struct FreeExtensions {
  void operator()(STACK_OF(X509_EXTENSION) * list) const {
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
  }
};

void add_names(X509_REQ* request, const std::vector<std::string>& names) {
  const auto list = general_names(names);
  STACK_OF(X509_EXTENSION)* extensions = nullptr;
  must(X509V3_add1_i2d(&extensions, NID_subject_alt_name, list.get(), 0, 0), "subjectAltName");
  const std::unique_ptr<STACK_OF(X509_EXTENSION), FreeExtensions> kept(extensions);
  must(X509_REQ_add_extensions(request, extensions), "X509_REQ_add_extensions");
}

std::string der_of(X509_REQ* request) {
  unsigned char* bytes = nullptr;
  const int length = i2d_X509_REQ(request, &bytes);
  must(length, "i2d_X509_REQ");
  std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
  OPENSSL_free(bytes);
  return der;
}

}  // namespace

SigningRequest make_signing_request(const std::vector<std::string>& names) {
  const Key key = new_key(Curve::P256);
  const auto request = owned(X509_REQ_new(), "X509_REQ_new");
  must(X509_REQ_set_version(request.get(), 0), "X509_REQ_set_version");
  must(X509_REQ_set_pubkey(request.get(), key.get()), "X509_REQ_set_pubkey");
  add_names(request.get(), names);
  must(X509_REQ_sign(request.get(), key.get(), EVP_sha256()), "X509_REQ_sign");
  return {.key_pem = Secret(to_pem(key.get())), .der = der_of(request.get())};
}

}  // namespace mp
