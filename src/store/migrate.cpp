#include "store/migrate.hpp"

#include "base/secret.hpp"

#include <charconv>
#include <map>

namespace mp {
namespace {

std::int64_t version_of(std::string_view name) {
  std::int64_t version = 0;
  std::from_chars(name.data(), name.data() + name.size(), version);
  return version;
}

// Statements end with a semicolon at the end of a line; lines of comments are left out.
std::vector<std::string> statements(std::string_view text) {
  std::vector<std::string> list;
  std::string current;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.starts_with("--")) continue;
    current.append(line).append("\n");
    if (!line.ends_with(';')) continue;
    current.resize(current.find_last_of(';'));
    list.push_back(std::move(current));
    current.clear();
  }
  return list;
}

std::map<std::int64_t, std::string> applied(Connection& connection) {
  std::map<std::int64_t, std::string> checksums;
  connection.each(
      "SELECT version, checksum FROM migrations", {}, {Column::Integer, Column::Text},
      [&](Row& row) { checksums[std::get<std::int64_t>(row[0])] = std::get<std::string>(row[1]); });
  return checksums;
}

void check_not_newer(const std::map<std::int64_t, std::string>& done, std::int64_t known) {
  if (done.empty() || done.rbegin()->first <= known) return;
  throw Error(Code::Unavailable, "database schema " + std::to_string(done.rbegin()->first) +
                                     " is newer than this program knows (" + std::to_string(known) +
                                     "): start a newer manager");
}

void check_same(const EmbeddedFile& file, const std::string& checksum) {
  if (checksum == sha256_hex(file.bytes)) return;
  throw Error(Code::Unavailable,
              "database: migration " + std::string(file.name) +
                  " was applied in another form: this is another program's database");
}

void apply(Connection& connection, const EmbeddedFile& file, Time now) {
  for (const std::string& statement : statements(file.bytes)) connection.execute(statement);
  connection.execute(
      "INSERT INTO migrations (version, name, checksum, applied_at) VALUES (:v, :n, :c, :t)",
      {{"v", version_of(file.name)},
       {"n", std::string(file.name)},
       {"c", sha256_hex(file.bytes)},
       {"t", to_milliseconds(now)}});
}

}  // namespace

void migrate(Connection& connection, std::span<const EmbeddedFile> files, Time now) {
  connection.begin();  // alone: other managers wait
  try {
    connection.execute(
        "CREATE TABLE IF NOT EXISTS migrations (version bigint PRIMARY KEY, name text NOT NULL, "
        "checksum text NOT NULL, applied_at bigint NOT NULL)");
    const auto done = applied(connection);
    check_not_newer(done, files.empty() ? 0 : version_of(files.back().name));
    for (const EmbeddedFile& file : files) {
      const auto found = done.find(version_of(file.name));
      if (found == done.end())
        apply(connection, file, now);
      else
        check_same(file, found->second);
    }
    connection.commit();
  } catch (...) {
    connection.rollback();
    throw;
  }
}

}  // namespace mp
