#include "store/sql.hpp"

namespace mp {

TableSql table_sql(const Description& description) {
  TableSql sql;
  std::string values, sets;
  const auto fresh = description.make();
  for (const Field& field : description.fields) {
    if (!field.stored()) continue;
    sql.fields.push_back(&field);
    sql.columns.push_back(field.shape->column);
    sql.usual.push_back(field.shape->to_cell(field.of(fresh.get())));
    const std::string name(field.name);
    sql.list.append(sql.list.empty() ? "" : ", ").append(name);
    values.append(values.empty() ? ":" : ", :").append(name);
    if (name != "id")
      sets.append(sets.empty() ? "" : ", ").append(name).append(" = :").append(name);
  }
  const std::string table(description.plural);
  sql.find = "SELECT " + sql.list + " FROM " + table + " WHERE id = :id";
  sql.has = "SELECT 1 FROM " + table + " WHERE id = :id";
  sql.insert = "INSERT INTO " + table + " (" + sql.list + ") VALUES (" + values + ")";
  sql.update = "UPDATE " + table + " SET " + sets + " WHERE id = :id";
  if (find_field(description, "revision")) sql.update.append(" AND revision = :old_revision");
  sql.remove = "DELETE FROM " + table + " WHERE id = :id";
  return sql;
}

}  // namespace mp
