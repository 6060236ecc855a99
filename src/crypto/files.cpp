#include "crypto/files.hpp"

#include "crypto/issue.hpp"

#include <filesystem>
#include <fstream>

namespace mp {
namespace {

using namespace openssl;

constexpr std::size_t longest_file = 1024 * 1024;

Error broken(const std::string& setting, const std::string& path, const std::string& issue) {
  return {Code::Validation, setting + ": " + path + " " + issue};
}

std::string read_file(const std::string& setting, const std::string& path) {
  std::error_code failure;
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path, failure))
    throw broken(setting, path, "cannot be read");
  std::string text(longest_file + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) throw broken(setting, path, "cannot be read");
  if (!file.eof()) throw broken(setting, path, "is longer than 1 MiB");
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

// All certificates of the text, in its order.
std::vector<X509Certificate> read_certificates(const std::string& setting, const std::string& path,
                                               const std::string& text) {
  ERR_clear_error();
  const auto input = reader(text);
  std::vector<X509Certificate> certificates;
  while (X509* next = PEM_read_bio_X509(input.get(), nullptr, nullptr, nullptr))
    certificates.emplace_back(next);
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string reason = take_error();
  if (!at_end) throw broken(setting, path, "holds a broken certificate: " + reason);
  if (certificates.empty()) throw broken(setting, path, "holds no certificate in PEM form");
  return certificates;
}

// Nobody is there to type a pass phrase.
int no_pass_phrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

Key read_key(const PairFiles& files, const std::string& text) {
  bool asked = false;
  ERR_clear_error();
  Key key(PEM_read_bio_PrivateKey(reader(text).get(), nullptr, no_pass_phrase, &asked));
  ERR_clear_error();
  if (asked)
    throw broken(files.key_setting, files.key, "is encrypted; a key without pass phrase is needed");
  if (!key) throw broken(files.key_setting, files.key, "holds no private key in PEM form");
  return key;
}

}  // namespace

KeyPair read_pair(const PairFiles& files, Time now) {
  const std::string chain = read_file(files.certificate_setting, files.certificate);
  const Secret key_text(read_file(files.key_setting, files.key));
  const auto certificates = read_certificates(files.certificate_setting, files.certificate, chain);
  const Key key = read_key(files, key_text.reveal());
  const X509* leaf = certificates.front().get();
  if (X509_check_private_key(leaf, key.get()) != 1) {
    ERR_clear_error();
    throw broken(files.key_setting, files.key,
                 "is not the key of the first certificate in " + files.certificate);
  }
  const Time end = end_of(leaf);
  if (now >= end)
    throw broken(files.certificate_setting, files.certificate, "expired at " + to_string(end));
  std::string pem;
  for (const X509Certificate& each : certificates) pem += to_pem(each.get());
  return {.certificate_pem = std::move(pem), .key_pem = Secret(to_pem(key.get()))};
}

std::string read_authorities(const std::string& path, const std::string& setting) {
  std::string pem;
  for (const X509Certificate& each : read_certificates(setting, path, read_file(setting, path)))
    pem += to_pem(each.get());
  return pem;
}

}  // namespace mp
