// SQL texts that follow from a declaration; one text for both databases. A connection keeps those
// it has made.
#pragma once

#include "model/field.hpp"

#include <string>
#include <vector>

namespace mp {

struct TableSql {
  std::vector<const Field*> fields;  // the stored ones, in order
  std::vector<Column> columns;       // their types
  std::vector<Cell> usual;           // what they hold of an object that was just made
  std::string list;                  // "id, name, …"
  std::string find;                  // by :id
  std::string has;                   // a row when there is one with this :id
  std::string insert;
  std::string update;  // by :id, and :old_revision when the type counts revisions
  std::string remove;  // by :id
};

TableSql table_sql(const Description& description);

}  // namespace mp
