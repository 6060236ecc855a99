// Where the database is: the setting database.url, read once at start.
#pragma once

#include <memory>
#include <string>

namespace mp {

class CallWatch;

enum class DatabaseKind { Sqlite, Postgresql };

struct DatabaseUrl {
  DatabaseKind kind = DatabaseKind::Sqlite;
  std::string target;  // a file's path, or libpq's keyword form with a deadline for every wait
  std::shared_ptr<CallWatch> watch = nullptr;  // of the statements, PostgreSQL's
};

// "sqlite:" (marchproxy.db in the data directory), "sqlite:/path", "postgresql://…". Throws
// Validation of database.url, without the URL in it: that may hold a password.
DatabaseUrl parse_database_url(const std::string& url, const std::string& data_dir);

}  // namespace mp
