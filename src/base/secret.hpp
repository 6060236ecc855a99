// A string that does not print itself: no stream operator, no formatter, wiped when it goes.
// Used for keys, passwords and private keys in memory; the store seals members of this type at
// rest.
#pragma once

#include <string>
#include <string_view>

namespace mp {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept : value_(std::move(other.value_)) { other.wipe(); }
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;
  ~Secret() { wipe(); }

  // The bytes themselves, for the one who must send or check them.
  const std::string& reveal() const { return value_; }
  bool empty() const { return value_.empty(); }
  bool operator==(const Secret& other) const;  // constant time for equal lengths

 private:
  void wipe();
  std::string value_;
};

// Compares without a data-dependent branch (the length is not secret).
bool same_secret(std::string_view left, std::string_view right);

// SHA-256 (FIPS 180-4) as 64 lower-case hex digits: how high-entropy keys are kept and looked up.
std::string sha256_hex(std::string_view bytes);

// RFC 4648: standard alphabet with padding, and URL-safe without.
std::string base64(std::string_view bytes);
std::string base64_url(std::string_view bytes);

}  // namespace mp
