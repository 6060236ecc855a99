// One open connection as its database's own library speaks: statements by their text, prepared
// once, and the database's errors translated once. SQLite goes through its own interface, because
// every request of an embedded manager does; PostgreSQL goes through SOCI. Used by Connection
// alone.
#pragma once

#include "model/field.hpp"
#include "store/store.hpp"
#include "store/url.hpp"
#include "store/vault.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mp {

using Values = std::vector<std::pair<std::string, Cell>>;

// Tally: each statement is a transaction of its own, durable a moment later. PostgreSQL only.
enum class Access { Read, Write, Tally };

class Driver {
 public:
  virtual ~Driver() = default;
  Driver() = default;
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  // Runs one statement; `values` has its :name parameters, none of them with a NUL. `row` is called
  // for each result and must not use this driver. Returns the rows changed. Throws Conflict naming
  // the field for a broken unique rule, Unavailable when the database is away, Internal for what
  // the database should not have been asked.
  virtual std::int64_t run(std::string_view sql, const Values& values,
                           const std::vector<Column>& columns,
                           const std::function<void(Row&)>& row) = 0;
  // Nothing more can be done with it; a new one is needed.
  virtual bool lost() const = 0;
  // Whether the database still holds a transaction that a ROLLBACK would end.
  virtual bool in_transaction() const = 0;
  // After a rollback, of all or to a savepoint.
  virtual void rolled_back() { failed_ = false; }

  // A statement has failed since the last rollback.
  bool failed() const { return failed_; }

 protected:
  bool failed_ = false;
};

// Throw Unavailable.
std::unique_ptr<Driver> open_sqlite(const DatabaseUrl& url, const Vault& vault, Access access);
std::unique_ptr<Driver> open_postgresql(const DatabaseUrl& url, const Vault& vault, Access access);

// What a client is told of a database that does not answer.
Error database_away(std::string log);

}  // namespace mp
