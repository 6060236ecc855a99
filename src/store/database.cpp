#include "store/database.hpp"

#include "store/constraint.hpp"
#include "store/file.hpp"

#include <libpq-fe.h>
#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <unordered_map>

namespace mp {
namespace {

constexpr std::size_t most_statements = 300;

int compare_bytes(void*, int left_size, const void* left, int right_size, const void* right) {
  const int order =
      std::memcmp(left, right, static_cast<std::size_t>(std::min(left_size, right_size)));
  return order != 0 ? order : left_size - right_size;
}

char kind_letter(const Cell& cell) { return "nids"[cell.index()]; }

Error away(std::string log) { return unavailable("The database is not available", std::move(log)); }

}  // namespace

struct Connection::Statement {
  struct Slot {
    soci::indicator present = soci::i_ok;
    long long integer = 0;
    double real = 0;
    std::string text;
  };
  explicit Statement(soci::session& session) : handle(session) {}
  std::deque<Slot> parameters;  // addresses stay
  std::deque<Slot> results;
  soci::statement handle;
  Row row;
};

struct Connection::Inside {
  soci::session session;
  sqlite_api::sqlite3* sqlite = nullptr;
  PGconn* postgresql = nullptr;
  std::unordered_map<std::string, std::unique_ptr<Statement>> statements;
  std::vector<std::unique_ptr<Statement>> broken;

  void set_aside(const Statement* statement) {
    const auto found = std::ranges::find(statements, statement,
                                         [](const auto& each) { return each.second.get(); });
    if (found == statements.end()) return;
    broken.push_back(std::move(found->second));
    statements.erase(found);
  }
};

Connection::Connection(const DatabaseUrl& url, const Vault& vault, Access access)
    : url_(url), vault_(vault), access_(access) {}

Connection::~Connection() = default;

void Connection::open() {
  inside_.reset();
  in_transaction_ = false;
  failed_ = false;
  inside_ = std::make_unique<Inside>();
  try {
    if (url_.kind == DatabaseKind::Sqlite)
      open_sqlite();
    else
      open_postgresql();
  } catch (const soci::soci_error& fault) {
    inside_.reset();
    throw away(fault.get_error_message());
  } catch (const Error& error) {  // its text has a path
    inside_.reset();
    throw away(error.message);
  }
}

void Connection::open_sqlite() {
  create_private_file_if_missing(url_.target);  // SQLite gives its journals the mode of this file
  inside_->session.open(soci::sqlite3, "dbname=\"" + url_.target + "\"");
  inside_->sqlite =
      static_cast<soci::sqlite3_session_backend*>(inside_->session.get_backend())->conn_;
  sqlite_api::sqlite3_create_collation(inside_->sqlite, "C", SQLITE_UTF8, nullptr, compare_bytes);
  sqlite_api::sqlite3_extended_result_codes(inside_->sqlite, 1);
  std::string settings =
      "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
      "PRAGMA foreign_keys = ON; PRAGMA cache_size = -2000; PRAGMA temp_store = MEMORY; "
      "PRAGMA journal_size_limit = 67108864;";
  if (access_ == Access::Read) settings += "PRAGMA query_only = ON;";
  if (sqlite_api::sqlite3_exec(inside_->sqlite, settings.c_str(), nullptr, nullptr, nullptr) !=
      SQLITE_OK) {
    throw soci::soci_error(sqlite_api::sqlite3_errmsg(inside_->sqlite));
  }
}

void Connection::open_postgresql() {
  inside_->session.open(soci::postgresql, url_.target);
  inside_->postgresql =
      static_cast<soci::postgresql_session_backend*>(inside_->session.get_backend())->conn_;
  inside_->session << "SET statement_timeout = '10s'";
  inside_->session << "SET client_min_messages = error";
  if (access_ == Access::Tally) inside_->session << "SET synchronous_commit = off";
}

bool Connection::lost() const {
  return !inside_ || (inside_->postgresql && PQstatus(inside_->postgresql) != CONNECTION_OK);
}

void Connection::drop() { inside_.reset(); }

void Connection::rollback() {
  in_transaction_ = false;
  failed_ = false;
  if (lost()) return;
  try {
    in_transaction_ = true;
    const bool has_one = inside_->sqlite ? !sqlite_api::sqlite3_get_autocommit(inside_->sqlite)
                                         : access_ != Access::Tally;
    if (has_one) execute("ROLLBACK");
    inside_->broken.clear();
  } catch (const Error&) {
    inside_.reset();  // the transaction ends with its connection
  }
  in_transaction_ = false;
  failed_ = false;
}

void Connection::undo() {
  execute("ROLLBACK TO SAVEPOINT one_work");
  execute("RELEASE SAVEPOINT one_work");
  inside_->broken.clear();
  failed_ = false;
}

Connection::Statement& Connection::prepare(std::string_view sql, const Values& values,
                                           const std::vector<Column>& columns) {
  std::string key(sql);
  key.push_back('\0');
  for (const auto& [name, value] : values) key.push_back(kind_letter(value));
  auto& statements = inside_->statements;
  const auto found = statements.find(key);
  if (found != statements.end()) return *found->second;
  if (statements.size() >= most_statements) statements.clear();
  auto made = std::make_unique<Statement>(inside_->session);
  for (const auto& [name, value] : values) {
    auto& slot = made->parameters.emplace_back();
    if (std::holds_alternative<std::int64_t>(value))
      made->handle.exchange(soci::use(slot.integer, slot.present, name));
    else if (std::holds_alternative<double>(value))
      made->handle.exchange(soci::use(slot.real, slot.present, name));
    else
      made->handle.exchange(soci::use(slot.text, slot.present, name));
  }
  for (const Column column : columns) {
    auto& slot = made->results.emplace_back();
    if (column == Column::Integer)
      made->handle.exchange(soci::into(slot.integer, slot.present));
    else if (column == Column::Real)
      made->handle.exchange(soci::into(slot.real, slot.present));
    else
      made->handle.exchange(soci::into(slot.text, slot.present));
  }
  made->row.resize(columns.size());
  made->handle.alloc();
  made->handle.prepare(std::string(sql));
  made->handle.define_and_bind();
  return *statements.emplace(std::move(key), std::move(made)).first->second;
}

namespace {

template <class Slots>
void bind(Slots& slots, const Values& values) {
  for (std::size_t at = 0; at < values.size(); ++at) {
    auto& slot = slots[at];
    const Cell& cell = values[at].second;
    slot.present = std::holds_alternative<std::monostate>(cell) ? soci::i_null : soci::i_ok;
    if (const auto* integer = std::get_if<std::int64_t>(&cell))
      slot.integer = *integer;
    else if (const auto* real = std::get_if<double>(&cell))
      slot.real = *real;
    else if (const auto* text = std::get_if<std::string>(&cell))
      slot.text = *text;
  }
}

// PostgreSQL cannot keep a NUL in a text (libpq would cut it off there), so neither database is
// given one.
void refuse_nul(const Values& values) {
  for (const auto& [name, value] : values) {
    const auto* text = std::get_if<std::string>(&value);
    if (text && text->find('\0') != std::string::npos)
      throw invalid(name, "Must not contain a NUL character");
  }
}

// An unfinished SELECT would hold SQLite's view of the data.
struct Finish {
  soci::statement& statement;
  bool sqlite;
  ~Finish() {
    if (sqlite)
      sqlite_api::sqlite3_reset(
          static_cast<soci::sqlite3_statement_backend*>(statement.get_backend())->stmt_);
  }
};

}  // namespace

void Connection::run(Statement& statement, const std::vector<Column>& columns,
                     const std::function<void(Row&)>& row) {
  Row& cells = statement.row;
  for (bool more = statement.handle.execute(true); more; more = statement.handle.fetch()) {
    for (std::size_t at = 0; at < columns.size(); ++at) {
      auto& result = statement.results[at];
      if (result.present == soci::i_null)
        cells[at] = std::monostate();
      else if (columns[at] == Column::Integer)
        cells[at] = static_cast<std::int64_t>(result.integer);
      else if (columns[at] == Column::Real)
        cells[at] = result.real;
      else if (columns[at] == Column::Sealed)
        cells[at] = vault_.unseal(result.text);
      else
        cells[at] = result.text;
    }
    row(cells);
  }
}

void Connection::make_ready(const Values& values) {
  refuse_nul(values);
  if (!in_transaction_) begin();
  if (lost()) throw away("the connection was lost within the transaction");
}

void Connection::each(std::string_view sql, const Values& values,
                      const std::vector<Column>& columns, const std::function<void(Row&)>& row) {
  make_ready(values);
  Statement* statement = nullptr;
  try {
    statement = &prepare(sql, values, columns);
    const Finish finish{statement->handle, inside_->sqlite != nullptr};
    bind(statement->parameters, values);
    run(*statement, columns, row);
  } catch (const soci::soci_error& fault) {
    translate(fault.get_error_message(), sql, statement);
  }
}

std::vector<Row> Connection::query(std::string_view sql, const Values& values,
                                   const std::vector<Column>& columns) {
  std::vector<Row> rows;
  each(sql, values, columns, [&](Row& row) { rows.push_back(row); });
  return rows;
}

std::int64_t Connection::execute(std::string_view sql, const Values& values) {
  make_ready(values);
  Statement* statement = nullptr;
  try {
    statement = &prepare(sql, values, {});
    bind(statement->parameters, values);
    const Finish finish{statement->handle, inside_->sqlite != nullptr};
    statement->handle.execute(true);
    return statement->handle.get_affected_rows();
  } catch (const soci::soci_error& fault) {
    translate(fault.get_error_message(), sql, statement);
  }
}

void Connection::translate(const std::string& message, std::string_view sql,
                           const Statement* statement) {
  failed_ = true;
  if (url_.kind == DatabaseKind::Sqlite) translate_sqlite(message, sql);
  // SOCI forgets to free what it sent unless the statement goes. The server lets it go after a
  // rollback only.
  inside_->set_aside(statement);
  translate_postgresql(message, sql, statement);
}

void Connection::translate_sqlite(const std::string& message, std::string_view sql) {
  const int code = sqlite_api::sqlite3_extended_errcode(inside_->sqlite);
  const std::string text = sqlite_api::sqlite3_errmsg(inside_->sqlite);
  const std::string log =
      text + " (" + std::to_string(code) + ", " + message + ") in " + std::string(sql);
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
    case SQLITE_LOCKED: throw away(log);
    default:  // the disk, the file or the memory: start afresh next time
      inside_.reset();
      throw away(log);
  }
}

void Connection::translate_postgresql(const std::string& message, std::string_view sql,
                                      const Statement* statement) {
  const PGresult* result = nullptr;
  if (statement) {
    auto& handle = const_cast<soci::statement&>(statement->handle);
    result = static_cast<soci::postgresql_statement_backend*>(handle.get_backend())
                 ->result_.get_result();
  }
  const auto part = [&](int which) {
    const char* text = result ? PQresultErrorField(result, which) : nullptr;
    return std::string(text ? text : "");
  };
  const std::string state = part(PG_DIAG_SQLSTATE);
  const std::string primary = part(PG_DIAG_MESSAGE_PRIMARY);  // without the values that DETAIL has
  const std::string log =
      (primary.empty() ? message : primary) + " (" + state + ") in " + std::string(sql);
  if (lost()) throw away(log);
  if (state == "23505") throw taken(part(PG_DIAG_CONSTRAINT_NAME));
  if (state == "23503") throw still_used(log);
  if (state == "22021") throw invalid("body", "Text must be valid UTF-8");
  if (state.starts_with("08") || state.starts_with("53") || state.starts_with("57") ||
      state.starts_with("58") || state.starts_with("40") || state.starts_with("25006") ||
      state == "55P03") {
    throw away(log);
  }
  throw internal(log);
}

}  // namespace mp
