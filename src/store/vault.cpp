#include "store/vault.hpp"

#include "base/error.hpp"
#include "store/file.hpp"

#include <sodium.h>

#include <filesystem>

namespace mp {
namespace {

constexpr std::string_view mark = "v1:";

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

}  // namespace

Vault::Vault(const std::string& data_dir)
    : path_((std::filesystem::path(data_dir) / "store.key").string()) {}

void Vault::open(const std::string& fingerprint) {
  if (!std::filesystem::exists(path_)) {
    if (!fingerprint.empty()) {
      throw Error(Code::Unavailable,
                  path_ +
                      ": is missing, but the database holds secrets sealed with it; "
                      "copy it from a backup or from another manager of this database");
    }
    std::string fresh(crypto_secretbox_KEYBYTES, '\0');
    randombytes_buf(fresh.data(), fresh.size());
    create_private_file(path_, fresh);
    sodium_memzero(fresh.data(), fresh.size());
  }
  key_ = Secret(read_file(path_));
  if (key_.reveal().size() != crypto_secretbox_KEYBYTES)
    throw Error(Code::Unavailable, path_ + ": is not a key file");
  if (fingerprint.empty() || fingerprint == this->fingerprint()) return;
  throw Error(Code::Unavailable,
              path_ +
                  ": is not the key that the database's secrets are sealed with; "
                  "copy that one from a backup or from another manager of this database");
}

std::string Vault::seal(std::string_view plain) const {
  std::string sealed(crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + plain.size(), '\0');
  randombytes_buf(sealed.data(), crypto_secretbox_NONCEBYTES);
  crypto_secretbox_easy(bytes(sealed) + crypto_secretbox_NONCEBYTES, bytes(plain), plain.size(),
                        bytes(sealed), bytes(key_.reveal()));
  return std::string(mark) + base64(sealed);
}

std::string Vault::unseal(std::string_view sealed) const {
  if (!sealed.starts_with(mark)) throw internal("a sealed column holds plain text");
  sealed.remove_prefix(mark.size());
  std::string box(sealed.size(), '\0');
  std::size_t length = 0;
  const bool decoded =
      sodium_base642bin(bytes(box), box.size(), sealed.data(), sealed.size(), nullptr, &length,
                        nullptr, sodium_base64_VARIANT_ORIGINAL) == 0;
  constexpr std::size_t overhead = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
  if (!decoded || length < overhead) throw internal("a sealed column is damaged");
  std::string plain(length - overhead, '\0');
  if (crypto_secretbox_open_easy(bytes(plain), bytes(box) + crypto_secretbox_NONCEBYTES,
                                 length - crypto_secretbox_NONCEBYTES, bytes(box),
                                 bytes(key_.reveal())) != 0) {
    throw internal("a sealed column was sealed with another key");
  }
  return plain;
}

std::string Vault::fingerprint() const {
  return sha256_hex("marchproxy store key " + key_.reveal());
}

}  // namespace mp
