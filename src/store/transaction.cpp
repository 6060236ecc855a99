// Transactions of a Connection, and what a writer counts within one.
#include "store/database.hpp"

#include <algorithm>
#include <thread>

namespace mp {
namespace {

constexpr std::chrono::seconds outcome_deadline{5};
constexpr std::chrono::milliseconds outcome_pause{50};

}  // namespace

void Connection::begin() {
  if (lost()) open();
  try {
    start();
  } catch (const Error&) {
    if (!lost()) {
      rollback();
      throw;
    }
    open();  // nothing has run yet: trying again is safe
    start();
  }
}

void Connection::start() {
  in_transaction_ = true;
  if (url_.kind == DatabaseKind::Sqlite) {
    execute(access_ == Access::Read ? "BEGIN" : "BEGIN IMMEDIATE");
  } else if (access_ == Access::Tally) {
    return;
  } else if (access_ == Access::Read) {
    execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  } else {
    execute("BEGIN");
    // With several managers revisions must become visible in their order: one transaction at a
    // time.
    const auto rows =
        query("SELECT CAST(pg_current_xact_id() AS text) FROM pg_advisory_xact_lock(7265502)", {},
              {Column::Text});
    transaction_id_ = std::get<std::string>(rows.at(0).at(0));
  }
}

void Connection::commit() {
  if (!in_transaction_) return;
  if (access_ == Access::Tally) {
    in_transaction_ = false;
    return;
  }
  try {
    execute("COMMIT");
    in_transaction_ = false;
  } catch (const Error&) {
    const bool ask = url_.kind == DatabaseKind::Postgresql && access_ == Access::Write && lost();
    if (!ask) rollback();
    if (!ask || !was_committed()) throw;
  }
}

void Connection::tell(const Notice& notice) {
  if (url_.kind == DatabaseKind::Sqlite) return;
  query("SELECT 1 FROM pg_notify(:channel, :payload)",
        {{"channel", std::string(notice_channel)}, {"payload", to_text(notice)}},
        {Column::Integer});
}

// The outcome of a COMMIT whose answer was lost.
bool Connection::was_committed() {
  const auto deadline = std::chrono::steady_clock::now() + outcome_deadline;
  while (std::chrono::steady_clock::now() < deadline) {
    try {
      if (lost()) open();
      in_transaction_ = true;  // one statement needs no transaction
      const auto rows = query("SELECT pg_xact_status(CAST(CAST(:id AS text) AS xid8))",
                              {{"id", transaction_id_}}, {Column::Text});
      in_transaction_ = false;
      const auto* status = std::get_if<std::string>(&rows.at(0).at(0));
      if (status && *status == "committed") return true;
      if (status && *status == "aborted") return false;
    } catch (const Error&) {
      driver_.reset();
    }
    std::this_thread::sleep_for(outcome_pause);
  }
  in_transaction_ = false;
  throw unavailable("The database went away while it was saving: the change may or may not be kept",
                    "outcome of transaction " + transaction_id_ + " is unknown");
}

void Connection::save() { execute("SAVEPOINT one_work"); }

void Connection::release() { execute("RELEASE SAVEPOINT one_work"); }

const TableSql& Connection::table(const Description& description) {
  const auto found = tables_.find(&description);
  if (found != tables_.end()) return found->second;
  return tables_.emplace(&description, table_sql(description)).first->second;
}

void Connection::used(std::string_view sequence, std::int64_t number) {
  std::int64_t& last = numbers_[std::string(sequence)];
  last = std::max(last, number);
}

void Connection::load_numbers() {
  numbers_.clear();
  each("SELECT name, value FROM sequences", {}, {Column::Text, Column::Integer},
       [&](Row& row) { numbers_[std::get<std::string>(row[0])] = std::get<std::int64_t>(row[1]); });
  saved_numbers_ = numbers_;
}

std::int64_t Connection::last(std::string_view sequence) const {
  const auto found = numbers_.find(sequence);
  return found == numbers_.end() ? 0 : found->second;
}

std::int64_t Connection::next(std::string_view sequence) {
  const auto found = numbers_.find(sequence);
  if (found != numbers_.end()) return ++found->second;
  return numbers_[std::string(sequence)] = 1;
}

void Connection::save_numbers() {
  for (const auto& [name, value] : numbers_) {
    const auto saved = saved_numbers_.find(name);
    if (saved != saved_numbers_.end() && saved->second == value) continue;
    execute(
        "INSERT INTO sequences (name, value) VALUES (:name, :value) "
        "ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value",
        {{"name", name}, {"value", value}});
  }
  saved_numbers_ = numbers_;
}

void Writer::attempt(const std::function<void()>& work) { run_part(work, Part::Kept); }

void Writer::undone(const std::function<void()>& work) { run_part(work, Part::Undone); }

// Savepoints of one name lie one upon the other: the newest is meant.
void Writer::run_part(const std::function<void()>& work, Part part) {
  Numbers numbers = connection_.numbers();
  const std::int64_t written = written_;
  Nouns stale = stale_;
  std::exception_ptr failure;
  connection_.save();
  try {
    work();
    if (connection_.failed()) throw internal("a part of a write went on after a database error");
  } catch (...) {
    failure = std::current_exception();
  }
  if (connection_.lost())
    throw database_away("the connection was lost within a part of a transaction");
  if (!failure && part == Part::Kept) return connection_.release();
  connection_.undo();
  connection_.restore_numbers(std::move(numbers));
  written_ = written;
  stale_ = std::move(stale);
  if (failure) std::rethrow_exception(failure);
}

}  // namespace mp
