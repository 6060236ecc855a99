// The cluster key, read from its file again whenever the file changes, so that a rotated or
// repaired key needs no restart. Never logs the key.
#pragma once

#include "base/secret.hpp"

#include <array>
#include <cstdint>
#include <string>

namespace mp::agent {

class ClusterKey {
 public:
  // Reads the file; warns when other users can read it. Throws SettingsError when it cannot be read
  // or does not hold exactly one word of printable ASCII.
  explicit ClusterKey(std::string file);

  const Secret& value() const { return value_; }

  // True when the file now holds another key, which value() then returns. A file that is missing or
  // spoilt, as it may be while somebody writes it, leaves the key as it is.
  bool refresh();

 private:
  using Signature = std::array<std::int64_t, 4>;
  Signature signature() const;
  Secret read() const;

  std::string file_;
  Signature seen_;
  Secret value_;
};

}  // namespace mp::agent
