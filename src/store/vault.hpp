// Seals secrets at rest with the installation's key file: libsodium secretbox (XSalsa20-Poly1305),
// a random nonce each. The file lies in the data directory (mode 0600), never in the database.
#pragma once

#include "base/secret.hpp"

#include <string>

namespace mp {

class Vault {
 public:
  explicit Vault(const std::string& data_dir);

  // Reads the key file. An empty `fingerprint` means that nothing is sealed yet: the file is made
  // when it is missing. Otherwise the file must be there and be that key. Throws Unavailable with
  // one clear line.
  void open(const std::string& fingerprint);

  std::string seal(std::string_view plain) const;
  // Throws Internal for text that was not sealed with this key.
  std::string unseal(std::string_view sealed) const;
  // Tells keys apart without telling the key.
  std::string fingerprint() const;

 private:
  const std::string path_;
  Secret key_;
};

}  // namespace mp
