// Which mapping took a connection or request, and how its caller proved who he is, as a short text
// that the translation puts into listeners and routes ("mapping/7/jwt/3") and that comes back with
// access logs. Written by admission and access_log, read by log_entry.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mp::xds {

struct Mark {
  // None: callers have nothing to prove.
  enum class Proof { None, Address, Certificate, Token, Key };
  std::int64_t mapping = 0;
  Proof proof = Proof::None;
  std::int64_t service = 0;  // whose token or key it was
  bool operator==(const Mark&) const = default;
};

// "mapping/7", "mapping/7/address", "mapping/7/certificate", "mapping/7/jwt/3",
// "mapping/7/api_key/3".
std::string to_text(const Mark& mark);
// nullopt for any other text.
std::optional<Mark> read_mark(std::string_view text);

// "address", "certificate", "jwt", "api_key"; empty for None.
std::string_view name_of(Mark::Proof proof);

}  // namespace mp::xds
