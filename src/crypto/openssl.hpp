// Owning pointers to OpenSSL's objects, and its errors as mp::Error. Included only by the .cpp
// files of crypto/.
#pragma once

#include "base/error.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>

namespace mp::openssl {

struct Free {
  void operator()(BIO* object) const { BIO_free_all(object); }
  void operator()(EVP_PKEY* object) const { EVP_PKEY_free(object); }
  void operator()(X509* object) const { X509_free(object); }
  void operator()(X509_EXTENSION* object) const { X509_EXTENSION_free(object); }
  void operator()(GENERAL_NAME* object) const { GENERAL_NAME_free(object); }
  void operator()(GENERAL_NAMES* object) const { GENERAL_NAMES_free(object); }
  void operator()(ASN1_STRING* object) const { ASN1_STRING_free(object); }
  void operator()(BIGNUM* object) const { BN_free(object); }
  void operator()(X509_REQ* object) const { X509_REQ_free(object); }
  void operator()(X509_CRL* object) const { X509_CRL_free(object); }
  void operator()(X509_REVOKED* object) const { X509_REVOKED_free(object); }
};

template <class Object>
using Owned = std::unique_ptr<Object, Free>;

using Key = Owned<EVP_PKEY>;
using X509Certificate = Owned<X509>;

// The first error that OpenSSL recorded in this thread, in words; forgets the others.
inline std::string take_error() {
  const auto code = ERR_get_error();
  const char* reason = ERR_reason_error_string(code);
  ERR_clear_error();
  return reason ? reason : "unknown error";
}

// For calls that fail only when memory or the library itself does.
inline void must(int result, std::string_view what) {
  if (result <= 0) throw internal(std::string(what) + ": " + take_error());
}

template <class Object>
Owned<Object> owned(Object* object, std::string_view what) {
  if (!object) throw internal(std::string(what) + ": " + take_error());
  return Owned<Object>(object);
}

// Reads PEM text; the text must outlive it.
inline Owned<BIO> reader(std::string_view text) {
  return owned(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), "BIO_new_mem_buf");
}

inline std::string text_of(BIO* buffer) {
  char* bytes = nullptr;
  const long length = BIO_get_mem_data(buffer, &bytes);
  return {bytes, static_cast<std::size_t>(length)};
}

}  // namespace mp::openssl
