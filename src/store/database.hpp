// One connection to SQLite or PostgreSQL: prepared statements by their text, transactions, a new
// connection when the old one is lost. Used inside src/store only; what the two databases do
// differently is in Driver.
#pragma once

#include "model/field.hpp"
#include "store/driver.hpp"
#include "store/sql.hpp"
#include "store/store.hpp"

#include <boost/container/flat_map.hpp>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mp {

// Few, and copied for every work: so that what a failed one took can be given again.
using Numbers = boost::container::flat_map<std::string, std::int64_t, std::less<>>;

class Connection {
 public:
  // Connects at the first begin().
  Connection(const DatabaseUrl& url, const Vault& vault, Access access);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  DatabaseKind kind() const { return url_.kind; }
  const Vault& vault() const { return vault_; }

  // Starts a transaction: a consistent view to read, or alone among all writers (of all managers).
  // A connection that turns out to be lost is replaced once. Throws Unavailable.
  void begin();
  // Durable when it returns. When the connection is lost meanwhile, PostgreSQL is asked for the
  // outcome on a new one; Unavailable when the transaction was undone or nobody can tell (the
  // message says which).
  void commit();
  // PostgreSQL only: tells the other managers when the transaction is committed.
  void tell(const Notice& notice);
  // Ends the transaction whatever its state; never throws.
  void rollback();
  bool in_transaction() const { return in_transaction_; }

  // Runs one statement; begins first when it must. Throws Conflict naming the field for a broken
  // unique rule, Validation for text with a NUL, Unavailable when the database is away.
  std::vector<Row> query(std::string_view sql, const Values& values,
                         const std::vector<Column>& columns);
  // Rows changed.
  std::int64_t execute(std::string_view sql, const Values& values = {});
  // Calls `row` for each result; the cells are valid during the call, which must not use this
  // connection.
  void each(std::string_view sql, const Values& values, const std::vector<Column>& columns,
            const std::function<void(Row&)>& row);

  // One work of several in a transaction.
  void save();
  void release();
  void undo();

  // A statement has failed since begin() or undo(): PostgreSQL refuses everything until then, and
  // what a work does after it must not count.
  bool failed() const { return driver_ && driver_->failed(); }
  // The connection is lost, and the transaction with it.
  bool lost() const { return !driver_ || driver_->lost(); }

  // The texts for a type's table.
  const TableSql& table(const Description& description);

  // The number that a sequence gave last; 0 when it has given none.
  std::int64_t last(std::string_view sequence) const;
  // The next number of a sequence. A writer alone counts in memory from load to save.
  std::int64_t next(std::string_view sequence);
  // An id that came from elsewhere: it is not given again either.
  void used(std::string_view sequence, std::int64_t number);
  void load_numbers();
  void save_numbers();
  const Numbers& numbers() const { return numbers_; }
  void restore_numbers(Numbers numbers) { numbers_ = std::move(numbers); }

 private:
  void open();
  void start();
  bool was_committed();
  void make_ready(const Values& values);

  const DatabaseUrl url_;
  const Vault& vault_;
  const Access access_;
  std::unique_ptr<Driver> driver_;  // absent while not connected
  bool in_transaction_ = false;
  std::string transaction_id_;  // PostgreSQL, of a writer
  std::map<const Description*, TableSql> tables_;
  Numbers numbers_;
  Numbers saved_numbers_;
};

}  // namespace mp
