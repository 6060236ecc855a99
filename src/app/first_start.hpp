// What an empty database gets: the default cluster with its key and the user admin. What was made
// at random is told once and kept in the data directory until it is changed. There is no built-in
// password.
#pragma once

#include "access/password.hpp"
#include "settings/settings.hpp"
#include "store/store.hpp"

#include <optional>

namespace mp {

struct FirstStart {
  std::optional<std::string> admin_password;  // made at random
  std::optional<std::string> cluster_key;     // made at random
};

// Does nothing but return when there is a user already. Throws Validation of admin.password when it
// breaks the password rules.
FirstStart first_start(Store& store, const Settings& settings, HashGate& hashes);

}  // namespace mp
