// PostgreSQL through SOCI; no SOCI type leaves this file.
#include "store/call_watch.hpp"
#include "store/constraint.hpp"
#include "store/driver.hpp"

#include <libpq-fe.h>
#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <unordered_map>

namespace mp {
namespace {

constexpr std::size_t most_statements = 300;

char kind_letter(const Cell& cell) { return "nids"[cell.index()]; }

struct Slot {
  soci::indicator present = soci::i_ok;
  long long integer = 0;
  double real = 0;
  std::string text;
};

struct Statement {
  explicit Statement(soci::session& session) : handle(session) {}
  std::deque<Slot> parameters;  // addresses stay
  std::deque<Slot> results;
  soci::statement handle;
  Row row;
};

void exchange_parameters(Statement& statement, const Values& values) {
  for (const auto& [name, value] : values) {
    auto& slot = statement.parameters.emplace_back();
    if (std::holds_alternative<std::int64_t>(value))
      statement.handle.exchange(soci::use(slot.integer, slot.present, name));
    else if (std::holds_alternative<double>(value))
      statement.handle.exchange(soci::use(slot.real, slot.present, name));
    else
      statement.handle.exchange(soci::use(slot.text, slot.present, name));
  }
}

void exchange_results(Statement& statement, const std::vector<Column>& columns) {
  for (const Column column : columns) {
    auto& slot = statement.results.emplace_back();
    if (column == Column::Integer)
      statement.handle.exchange(soci::into(slot.integer, slot.present));
    else if (column == Column::Real)
      statement.handle.exchange(soci::into(slot.real, slot.present));
    else
      statement.handle.exchange(soci::into(slot.text, slot.present));
  }
  statement.row.resize(columns.size());
}

void bind(Statement& statement, const Values& values) {
  for (std::size_t at = 0; at < values.size(); ++at) {
    auto& slot = statement.parameters[at];
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

class PostgresqlDriver final : public Driver {
 public:
  PostgresqlDriver(const DatabaseUrl& url, const Vault& vault, Access access);

  std::int64_t run(std::string_view sql, const Values& values, const std::vector<Column>& columns,
                   const std::function<void(Row&)>& row) override;
  bool lost() const override { return PQstatus(connection_) != CONNECTION_OK; }
  bool in_transaction() const override { return access_ != Access::Tally; }
  void rolled_back() override;

 private:
  std::optional<CallWatch::Call> watch();
  Statement& prepare(std::string_view sql, const Values& values,
                     const std::vector<Column>& columns);
  void read_row(Statement& statement, const std::vector<Column>& columns);
  void set_aside(const Statement* statement);
  [[noreturn]] void translate(const std::string& message, std::string_view sql,
                              const Statement* statement);

  const Vault& vault_;
  const Access access_;
  const std::shared_ptr<CallWatch> watch_;
  soci::session session_;
  PGconn* connection_ = nullptr;
  std::unordered_map<std::string, std::unique_ptr<Statement>> statements_;
  std::vector<std::unique_ptr<Statement>> broken_;
};

PostgresqlDriver::PostgresqlDriver(const DatabaseUrl& url, const Vault& vault, Access access)
    : vault_(vault), access_(access), watch_(url.watch) {
  try {
    session_.open(soci::postgresql, url.target);
    connection_ = static_cast<soci::postgresql_session_backend*>(session_.get_backend())->conn_;
    const auto watched = watch();
    session_ << "SET statement_timeout = '10s'";
    session_ << "SET client_min_messages = error";
    if (access == Access::Tally) session_ << "SET synchronous_commit = off";
  } catch (const soci::soci_error& fault) {
    throw database_away(fault.get_error_message());
  }
}

// Until the result goes out of scope.
std::optional<CallWatch::Call> PostgresqlDriver::watch() {
  if (!watch_ || lost()) return std::nullopt;
  return std::optional<CallWatch::Call>(std::in_place, *watch_, PQsocket(connection_));
}

Statement& PostgresqlDriver::prepare(std::string_view sql, const Values& values,
                                     const std::vector<Column>& columns) {
  std::string key(sql);
  key.push_back('\0');
  for (const auto& [name, value] : values) key.push_back(kind_letter(value));
  const auto found = statements_.find(key);
  if (found != statements_.end()) return *found->second;
  if (statements_.size() >= most_statements) statements_.clear();
  auto made = std::make_unique<Statement>(session_);
  exchange_parameters(*made, values);
  exchange_results(*made, columns);
  made->handle.alloc();
  made->handle.prepare(std::string(sql));
  made->handle.define_and_bind();
  return *statements_.emplace(std::move(key), std::move(made)).first->second;
}

void PostgresqlDriver::read_row(Statement& statement, const std::vector<Column>& columns) {
  for (std::size_t at = 0; at < columns.size(); ++at) {
    const auto& result = statement.results[at];
    Cell& cell = statement.row[at];
    if (result.present == soci::i_null)
      cell = std::monostate();
    else if (columns[at] == Column::Integer)
      cell = static_cast<std::int64_t>(result.integer);
    else if (columns[at] == Column::Real)
      cell = result.real;
    else if (columns[at] == Column::Sealed)
      cell = vault_.unseal(result.text);
    else
      cell = result.text;
  }
}

std::int64_t PostgresqlDriver::run(std::string_view sql, const Values& values,
                                   const std::vector<Column>& columns,
                                   const std::function<void(Row&)>& row) {
  Statement* statement = nullptr;
  const auto watched = watch();
  try {
    statement = &prepare(sql, values, columns);
    bind(*statement, values);
    bool more = statement->handle.execute(true);
    if (columns.empty()) return statement->handle.get_affected_rows();
    for (; more; more = statement->handle.fetch()) {
      read_row(*statement, columns);
      row(statement->row);
    }
    return 0;
  } catch (const soci::soci_error& fault) {
    translate(fault.get_error_message(), sql, statement);
  }
}

// SOCI forgets to free what it sent unless the statement goes, and the server lets it go after a
// rollback only.
void PostgresqlDriver::set_aside(const Statement* statement) {
  const auto found =
      std::ranges::find(statements_, statement, [](const auto& each) { return each.second.get(); });
  if (found == statements_.end()) return;
  broken_.push_back(std::move(found->second));
  statements_.erase(found);
}

void PostgresqlDriver::rolled_back() {
  Driver::rolled_back();
  broken_.clear();
}

void PostgresqlDriver::translate(const std::string& message, std::string_view sql,
                                 const Statement* statement) {
  failed_ = true;
  set_aside(statement);
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
  if (lost()) throw database_away(log);
  if (state == "23505") throw taken(part(PG_DIAG_CONSTRAINT_NAME));
  if (state == "23503") throw still_used(log);
  if (state == "22021") throw invalid("body", "Text must be valid UTF-8");
  if (state.starts_with("08") || state.starts_with("53") || state.starts_with("57") ||
      state.starts_with("58") || state.starts_with("40") || state.starts_with("25006") ||
      state == "55P03") {
    throw database_away(log);
  }
  throw internal(log);
}

}  // namespace

std::unique_ptr<Driver> open_postgresql(const DatabaseUrl& url, const Vault& vault, Access access) {
  return std::make_unique<PostgresqlDriver>(url, vault, access);
}

}  // namespace mp
