// Brings the schema to what the program knows, forward only. Applied migrations are remembered with
// a checksum; one that differs, or a schema newer than the program, refuses the start.
#pragma once

#include "base/embedded.hpp"
#include "base/time.hpp"
#include "store/database.hpp"

#include <span>

namespace mp {

// Runs what is missing of `files` ("0001-first.sql", …) in one transaction. Safe when several
// managers start at once.
void migrate(Connection& connection, std::span<const EmbeddedFile> files, Time now);

}  // namespace mp
