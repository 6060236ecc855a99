// The rules that passwords must meet. Used by everything that sets one. Nothing here keeps or logs
// one.
#pragma once

#include "base/error.hpp"
#include "base/secret.hpp"

#include <string>
#include <string_view>

namespace mp {

// Adds violations of `field`: 12 to 128 characters of UTF-8, not the user name in any case, none of
// the commonest passwords, no single character or keyboard run repeated.
void check_password_rules(const Secret& password, std::string_view username,
                          const std::string& field, Violations& violations);

}  // namespace mp
