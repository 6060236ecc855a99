#include "crypto/subject.hpp"

#include "base/secret.hpp"
#include "model/format.hpp"

#include <algorithm>
#include <array>

#include <arpa/inet.h>

namespace mp::openssl {
namespace {

constexpr std::size_t longest_common_name = 255;

std::string bytes_of(const ASN1_STRING* text) {
  const auto* bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(text));
  return {bytes, static_cast<std::size_t>(ASN1_STRING_length(text))};
}

Owned<GENERAL_NAMES> alternatives(X509* certificate) {
  Owned<GENERAL_NAMES> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  ERR_clear_error();
  return names;
}

std::string address_of(const ASN1_STRING* bytes) {
  const int length = ASN1_STRING_length(bytes);
  if (length != 4 && length != 16) return "";
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(length == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(bytes), text.data(),
              text.size());
  return normal_address(text.data()).value_or("");
}

std::string lower(std::string text) {
  for (char& letter : text) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return text;
}

template <class Take>
void each_name(X509* certificate, Take take) {
  const auto names = alternatives(certificate);
  const int count = names ? sk_GENERAL_NAME_num(names.get()) : 0;
  for (int at = 0; at < count; ++at) {
    int kind = 0;
    const void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), at), &kind);
    take(kind, static_cast<const ASN1_STRING*>(value));
  }
}

bool is_server_name(std::string name) {
  if (name.starts_with("*.")) name.erase(0, 2);
  if (name.ends_with('.')) return false;  // no client finds it equal to what it asks for
  return find_format("host").check(name) && !normal_address(name);
}

}  // namespace

std::string common_name_of(X509* certificate) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  int last = -1;
  for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;) last = at;
  if (last < 0) return "";
  unsigned char* bytes = nullptr;
  const int length =
      ASN1_STRING_to_UTF8(&bytes, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last)));
  ERR_clear_error();
  if (length < 0) return "";
  std::string text(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
  OPENSSL_free(bytes);
  const bool shown = std::ranges::none_of(
      text, [](unsigned char letter) { return letter < 0x20 || letter == 0x7f; });
  return shown && text.size() <= longest_common_name ? text : "";
}

std::vector<std::string> server_names_of(X509* certificate) {
  std::vector<std::string> list;
  each_name(certificate, [&](int kind, const ASN1_STRING* value) {
    std::string name;
    if (kind == GEN_DNS) name = lower(bytes_of(value));
    if (kind == GEN_IPADD) name = address_of(value);
    if (!name.empty() && std::ranges::find(list, name) == list.end())
      list.push_back(std::move(name));
  });
  return list;
}

std::string strange_name_of(X509* certificate) {
  std::string issue;
  each_name(certificate, [&](int kind, const ASN1_STRING* value) {
    if (kind == GEN_DNS && !is_server_name(bytes_of(value)))
      issue = "has a DNS name in subjectAltName that is no host name";
    if (kind == GEN_IPADD && address_of(value).empty())
      issue = "has an IP address in subjectAltName that is none";
  });
  return issue;
}

std::string fingerprint_of(X509* certificate) {
  unsigned char* bytes = nullptr;
  const int length = i2d_X509(certificate, &bytes);
  if (length < 0) throw internal("i2d_X509: " + take_error());
  const std::string hash =
      sha256_hex({reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length)});
  OPENSSL_free(bytes);
  return hash;
}

std::string serial_of(X509* certificate) {
  const auto number =
      owned(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr), "ASN1_INTEGER_to_BN");
  char* text = BN_bn2hex(number.get());
  if (!text) throw internal("BN_bn2hex: " + take_error());
  std::string hex(text);
  OPENSSL_free(text);
  return hex;
}

}  // namespace mp::openssl
