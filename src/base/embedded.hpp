// Files that the build puts inside the program: the database's migrations and the web pages'
// assets. Used by store/ and api/. The functions are defined by code that cmake/embed.cmake
// generates; each lives in a library of its own (mp_migrations, mp_web_assets). Reads no file at
// run time.
#pragma once

#include <span>
#include <string_view>

namespace mp {

struct EmbeddedFile {
  std::string_view name;
  std::string_view bytes;
};

// migrations/*.sql, sorted by name ("0001-first.sql" first).
std::span<const EmbeddedFile> migrations();

// Assets of the documentation pages and of the UI, sorted by name, each gzip-compressed (RFC 1952).
std::span<const EmbeddedFile> web_assets();

}  // namespace mp
