// SQLite: prepared statements of its own interface. Texts are bound in place and read straight into
// cells.
#include "store/constraint.hpp"
#include "store/driver.hpp"
#include "store/file.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>

namespace mp {
namespace {

constexpr std::size_t most_statements = 300;

// There are several readers, and one writer, which adds to many indexes at once. Its log is carried
// over into the file every 16 MiB: each time costs two waits for the disk.
constexpr const char* reading = "PRAGMA cache_size = -2000; PRAGMA query_only = ON;";
constexpr const char* writing = "PRAGMA cache_size = -8000; PRAGMA wal_autocheckpoint = 4000;";

int compare_bytes(void*, int left_size, const void* left, int right_size, const void* right) {
  const int order =
      std::memcmp(left, right, static_cast<std::size_t>(std::min(left_size, right_size)));
  return order != 0 ? order : left_size - right_size;
}

struct Close {
  void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
};
struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

// Finds by a view, without a copy.
struct Hash : std::hash<std::string_view> {
  using is_transparent = void;
};

struct Statement {
  std::unique_ptr<sqlite3_stmt, Finalize> handle;
  std::vector<std::pair<std::string, int>> parameters;  // in the order of the values, by name
  Row row;
};

// An unfinished SELECT would hold SQLite's view of the data; bound texts are the caller's.
class Running {
 public:
  explicit Running(sqlite3_stmt* statement) : statement_(statement) {}
  ~Running() { sqlite3_reset(statement_); }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  sqlite3_stmt* statement_;
};

int bind_cell(sqlite3_stmt* statement, int at, const Cell& cell) {
  if (const auto* integer = std::get_if<std::int64_t>(&cell))
    return sqlite3_bind_int64(statement, at, *integer);
  if (const auto* real = std::get_if<double>(&cell))
    return sqlite3_bind_double(statement, at, *real);
  if (const auto* text = std::get_if<std::string>(&cell))
    return sqlite3_bind_text64(statement, at, text->data(), text->size(), SQLITE_STATIC,
                               SQLITE_UTF8);
  return sqlite3_bind_null(statement, at);
}

std::string_view text_at(sqlite3_stmt* statement, int at) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, at));
  return {text ? text : "", static_cast<std::size_t>(sqlite3_column_bytes(statement, at))};
}

class SqliteDriver final : public Driver {
 public:
  SqliteDriver(const DatabaseUrl& url, const Vault& vault, Access access);

  std::int64_t run(std::string_view sql, const Values& values, const std::vector<Column>& columns,
                   const std::function<void(Row&)>& row) override;
  bool lost() const override { return lost_; }
  bool in_transaction() const override { return sqlite3_get_autocommit(connection_.get()) == 0; }

 private:
  Statement& prepare(std::string_view sql);
  void bind(Statement& statement, const Values& values, std::string_view sql);
  void read_row(Statement& statement, const std::vector<Column>& columns);
  [[noreturn]] void translate(std::string_view sql);

  const Vault& vault_;
  std::unique_ptr<sqlite3, Close> connection_;
  std::unordered_map<std::string, Statement, Hash, std::equal_to<>> statements_;
  bool lost_ = false;
};

SqliteDriver::SqliteDriver(const DatabaseUrl& url, const Vault& vault, Access access)
    : vault_(vault) {
  try {  // SQLite gives its journals the mode of this file
    create_private_file_if_missing(url.target);
  } catch (const Error& error) {  // its text has a path
    throw database_away(error.message);
  }
  // Counting memory takes a lock that all connections share. Before the first one opens.
  [[maybe_unused]] static const int uncounted = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  sqlite3* opened = nullptr;
  // Each connection belongs to one thread at a time.
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int result = sqlite3_open_v2(url.target.c_str(), &opened, flags, nullptr);
  connection_.reset(opened);
  if (result != SQLITE_OK) throw database_away(sqlite3_errmsg(opened));
  sqlite3_create_collation(opened, "C", SQLITE_UTF8, nullptr, compare_bytes);
  sqlite3_extended_result_codes(opened, 1);
  std::string settings =
      "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
      "PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = "
      "67108864; ";
  settings += access == Access::Read ? reading : writing;
  if (sqlite3_exec(opened, settings.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    throw database_away(sqlite3_errmsg(opened));
}

Statement& SqliteDriver::prepare(std::string_view sql) {
  const auto found = statements_.find(sql);
  if (found != statements_.end()) return found->second;
  if (statements_.size() >= most_statements) statements_.clear();
  sqlite3_stmt* made = nullptr;
  if (sqlite3_prepare_v3(connection_.get(), sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &made, nullptr) != SQLITE_OK) {
    translate(sql);
  }
  Statement statement;
  statement.handle.reset(made);
  return statements_.emplace(std::string(sql), std::move(statement)).first->second;
}

void SqliteDriver::bind(Statement& statement, const Values& values, std::string_view sql) {
  auto& parameters = statement.parameters;
  parameters.resize(values.size());
  for (std::size_t at = 0; at < values.size(); ++at) {
    auto& [name, index] = parameters[at];
    if (name != values[at].first) {
      name = values[at].first;
      index = sqlite3_bind_parameter_index(statement.handle.get(), (":" + name).c_str());
    }
    if (bind_cell(statement.handle.get(), index, values[at].second) != SQLITE_OK) translate(sql);
  }
}

void SqliteDriver::read_row(Statement& statement, const std::vector<Column>& columns) {
  statement.row.resize(columns.size());
  for (std::size_t index = 0; index < columns.size(); ++index) {
    sqlite3_stmt* handle = statement.handle.get();
    const int at = static_cast<int>(index);
    Cell& cell = statement.row[index];
    if (sqlite3_column_type(handle, at) == SQLITE_NULL)
      cell = std::monostate();
    else if (columns[index] == Column::Integer)
      cell = static_cast<std::int64_t>(sqlite3_column_int64(handle, at));
    else if (columns[index] == Column::Real)
      cell = sqlite3_column_double(handle, at);
    else if (columns[index] == Column::Sealed)
      cell = vault_.unseal(text_at(handle, at));
    else if (auto* kept = std::get_if<std::string>(&cell))
      kept->assign(text_at(handle, at));
    else
      cell.emplace<std::string>(text_at(handle, at));
  }
}

std::int64_t SqliteDriver::run(std::string_view sql, const Values& values,
                               const std::vector<Column>& columns,
                               const std::function<void(Row&)>& row) {
  Statement& statement = prepare(sql);
  const Running running(statement.handle.get());
  bind(statement, values, sql);
  for (;;) {
    const int result = sqlite3_step(statement.handle.get());
    if (result == SQLITE_DONE) return sqlite3_changes64(connection_.get());
    if (result != SQLITE_ROW) translate(sql);
    if (columns.empty()) continue;
    read_row(statement, columns);
    row(statement.row);
  }
}

void SqliteDriver::translate(std::string_view sql) {
  failed_ = true;
  const int code = sqlite3_extended_errcode(connection_.get());
  const std::string text = sqlite3_errmsg(connection_.get());
  const std::string log = text + " (" + std::to_string(code) + ") in " + std::string(sql);
  if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY) throw taken(text);
  if (code == SQLITE_CONSTRAINT_FOREIGNKEY) throw still_used(log);
  switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ERROR:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG: throw internal(log);
    case SQLITE_BUSY:
    case SQLITE_LOCKED: throw database_away(log);
    default:  // the disk, the file or the memory: start afresh next time
      lost_ = true;
      throw database_away(log);
  }
}

}  // namespace

std::unique_ptr<Driver> open_sqlite(const DatabaseUrl& url, const Vault& vault, Access access) {
  return std::make_unique<SqliteDriver>(url, vault, access);
}

}  // namespace mp
