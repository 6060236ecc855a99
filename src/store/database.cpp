#include "store/database.hpp"

namespace mp {
namespace {

// PostgreSQL cannot keep a NUL in a text (libpq would cut it off there), so neither database is
// given one.
void refuse_nul(const Values& values) {
  for (const auto& [name, value] : values) {
    const auto* text = std::get_if<std::string>(&value);
    if (text && text->find('\0') != std::string::npos)
      throw invalid(name, "Must not contain a NUL character");
  }
}

}  // namespace

Error database_away(std::string log) {
  return unavailable("The database is not available", std::move(log));
}

Connection::Connection(const DatabaseUrl& url, const Vault& vault, Access access)
    : url_(url), vault_(vault), access_(access) {}

Connection::~Connection() = default;

void Connection::open() {
  driver_.reset();
  in_transaction_ = false;
  driver_ = url_.kind == DatabaseKind::Sqlite ? open_sqlite(url_, vault_, access_)
                                              : open_postgresql(url_, vault_, access_);
}

void Connection::rollback() {
  in_transaction_ = false;
  if (lost()) return;
  try {
    in_transaction_ = true;
    if (driver_->in_transaction()) execute("ROLLBACK");
    driver_->rolled_back();
  } catch (const Error&) {
    driver_.reset();  // the transaction ends with its connection
  }
  in_transaction_ = false;
}

void Connection::undo() {
  execute("ROLLBACK TO SAVEPOINT one_work");
  execute("RELEASE SAVEPOINT one_work");
  driver_->rolled_back();
}

void Connection::make_ready(const Values& values) {
  refuse_nul(values);
  if (!in_transaction_) begin();
  if (lost()) throw database_away("the connection was lost within the transaction");
}

void Connection::each(std::string_view sql, const Values& values,
                      const std::vector<Column>& columns, const std::function<void(Row&)>& row) {
  make_ready(values);
  driver_->run(sql, values, columns, row);
}

std::vector<Row> Connection::query(std::string_view sql, const Values& values,
                                   const std::vector<Column>& columns) {
  std::vector<Row> rows;
  each(sql, values, columns, [&](Row& row) { rows.push_back(row); });
  return rows;
}

std::int64_t Connection::execute(std::string_view sql, const Values& values) {
  make_ready(values);
  return driver_->run(sql, values, {}, nullptr);
}

}  // namespace mp
