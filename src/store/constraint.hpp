// What a broken constraint means to a client. Used by database.cpp, which knows the databases' own
// numbers.
#pragma once

#include "base/error.hpp"

#include <string>
#include <string_view>

namespace mp {

// The field that a unique rule is about. `text` is SQLite's ("services.cluster_id, services.name",
// "index 'users_email'") or a name of PostgreSQL's ("services_name"): indexes are <table>_<field>.
std::string field_of_constraint(std::string_view text);

// Conflict of a unique rule; Writer names the noun.
Error taken(std::string_view constraint);
// Conflict of a reference.
Error still_used(std::string log);

}  // namespace mp
