#include "model/json_text.hpp"
#include "store/database.hpp"
#include "store/sql.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <limits>

namespace mp {
namespace {

constexpr std::string_view actions[] = {"create", "update", "delete"};

// The object was just made: where the row says what it says already, nothing is parsed.
void fill(const TableSql& sql, void* object, const Row& row) {
  for (std::size_t at = 0; at < sql.fields.size(); ++at) {
    if (row[at] == sql.usual[at]) continue;
    sql.fields[at]->shape->from_cell(sql.fields[at]->member(object), row[at]);
  }
}

Cell cell_of(const Field& field, const void* object, const Vault& vault) {
  Cell cell = field.shape->to_cell(field.of(object));
  const auto* plain = std::get_if<std::string>(&cell);
  if (field.shape->column == Column::Sealed && plain) return vault.seal(*plain);
  return cell;
}

Values values_of(const TableSql& sql, const void* object, const Vault& vault) {
  Values values;
  values.reserve(sql.fields.size() + 1);
  for (const Field* field : sql.fields)
    values.emplace_back(field->name, cell_of(*field, object, vault));
  return values;
}

void put_cell(const Description& description, void* object, std::string_view name,
              const Cell& value) {
  if (const Field* field = find_field(description, name))
    field->shape->from_cell(field->member(object), value);
}

Cell cell_at(const Description& description, const void* object, std::string_view name) {
  const Field* field = find_field(description, name);
  return field ? field->shape->to_cell(field->of(object)) : Cell();
}

std::optional<std::int64_t> integer_of(const Cell& cell) {
  const auto* value = std::get_if<std::int64_t>(&cell);
  return value ? std::optional(*value) : std::nullopt;
}

std::string text_of(const Cell& cell) {
  if (const auto* integer = std::get_if<std::int64_t>(&cell)) return std::to_string(*integer);
  return std::get<std::string>(cell);
}

bool is_logged(const Field& field) {
  const bool kept = field.rules.kept == Kept::Stored || field.rules.kept == Kept::Linked;
  return field.visible() && kept && field.shape->column != Column::Sealed;
}

// Takes out what the log must not show of nested structs: secrets shown once, and computed members.
void prune(boost::json::value& value, const Description& inner) {
  if (auto* list = value.if_array()) {
    for (auto& item : *list) prune(item, inner);
  }
  auto* members = value.if_object();
  if (!members) return;
  for (const Field& field : inner.fields) {
    auto* member = members->if_contains(field.name);
    if (!member) continue;
    if (!is_logged(field))
      members->erase(field.name);
    else if (field.shape->inner)
      prune(*member, *field.shape->inner);
  }
}

// What the log shows: visible fields that have a place in the database, none of them secret.
void append_logged(std::string& text, const Description& description, const void* object) {
  text.push_back('{');
  for (const Field& field : description.fields) {
    if (!is_logged(field)) continue;
    if (text.back() != '{') text.push_back(',');
    append_json(text, field.name);
    text.push_back(':');
    const Shape& shape = *field.shape;
    if (shape.inner && shape.json_type == JsonType::Object && !shape.nullable) {
      append_logged(text, *shape.inner, field.of(object));
      continue;
    }
    boost::json::value value = shape.to_json(field.of(object));
    if (shape.inner) prune(value, *shape.inner);
    append_json(text, value);
  }
  text.push_back('}');
}

std::string logged_json(const Description& description, const void* object) {
  std::string text;
  append_logged(text, description, object);
  return text;
}

// Whether writing `after` over `before` would change nothing but the time of the change.
bool is_same(const Description& description, const void* before, const void* after) {
  return std::ranges::all_of(description.fields, [&](const Field& field) {
    if (field.stored()) {
      return field.name == "updated_at" ||
             field.shape->to_cell(field.of(before)) == field.shape->to_cell(field.of(after));
    }
    return field.rules.kept != Kept::Linked ||
           field.shape->to_json(field.of(before)) == field.shape->to_json(field.of(after));
  });
}

// Runs an INSERT or UPDATE; a broken unique rule names the noun too.
std::int64_t keep(Connection& connection, const Description& description, const std::string& sql,
                  const Values& values) {
  try {
    return connection.execute(sql, values);
  } catch (const Error& error) {
    const auto* field = error.details.if_contains("field");
    if (error.code != Code::Conflict || !field) throw;
    const std::string name(field->as_string());
    throw conflict(name,
                   "A " + std::string(description.name) + " with this " + name + " exists already");
  }
}

// A cluster's own changes concern that cluster.
std::optional<std::int64_t> cluster_of(const Description& description, const void* object) {
  return integer_of(
      cell_at(description, object, description.name == "cluster" ? "id" : "cluster_id"));
}

Action parse_action(const std::string& text) {
  return text == "create" ? Action::Create : text == "update" ? Action::Update : Action::Delete;
}

void append(Connection& connection, const ChangeEntry& entry) {
  connection.execute(
      "INSERT INTO changes (revision, time, actor_id, actor, address, request_id, resource, "
      "object_id, action, "
      "cluster_id, before, after) VALUES (:revision, :time, :actor_id, :actor, :address, "
      ":request_id, :resource, "
      ":object_id, :action, :cluster_id, :before, :after)",
      {{"revision", entry.revision},
       {"time", to_milliseconds(entry.time)},
       {"actor_id", entry.actor.user_id ? Cell(*entry.actor.user_id) : Cell()},
       {"actor", entry.actor.name},
       {"address", entry.actor.address},
       {"request_id", entry.actor.request_id},
       {"resource", entry.resource},
       {"object_id", entry.object_id},
       {"action", std::string(actions[static_cast<int>(entry.action)])},
       {"cluster_id", entry.cluster_id ? Cell(*entry.cluster_id) : Cell()},
       {"before", entry.before},
       {"after", entry.after}});
}

// "name, id": the order is total.
std::string ordering(const std::string& order) {
  if (order.starts_with("id")) return order;
  return order + (order.ends_with(" DESC") ? ", id DESC" : ", id");
}

// With the WHERE in front; empty when all rows are meant.
std::string conditions(const Description& description, const Selection& selection) {
  std::string where = selection.where.empty() ? "" : " WHERE (" + selection.where + ")";
  if (selection.from_id == 0) return where;
  where.append(where.empty() ? " WHERE " : " AND ");
  const std::string_view comparison = selection.order.ends_with(" DESC") ? " <= " : " >= ";
  if (selection.order.starts_with("id"))
    return where.append("id").append(comparison).append(":from_id");
  const std::string key = selection.order.substr(0, selection.order.find(' ')) + ", id";
  return where.append("(" + key + ")")
      .append(comparison)
      .append("(SELECT " + key + " FROM " + std::string(description.plural) +
              " WHERE id = :from_id)");
}

}  // namespace

bool Reader::has(const Description& description, const Cell& id) {
  const std::string& sql = connection_.table(description).has;
  return !connection_.query(sql, {{"id", id}}, {Column::Integer}).empty();
}

bool Reader::load(const Description& description, void* object, const Cell& id) {
  const TableSql& sql = connection_.table(description);
  bool found = false;
  connection_.each(sql.find, {{"id", id}}, sql.columns, [&](Row& row) {
    fill(sql, object, row);
    found = true;
  });
  return found;
}

void Reader::each(const Description& description, const Selection& selection,
                  const std::function<void*()>& next) {
  const TableSql& sql = connection_.table(description);
  const std::string from = " FROM " + std::string(description.plural);
  const std::string order = " ORDER BY " + ordering(selection.order);
  std::string where = conditions(description, selection);
  Values values = selection.values;
  if (selection.from_id != 0) values.emplace_back("from_id", selection.from_id);
  std::string bounds;
  if (selection.limit >= 0 || selection.offset > 0) {
    bounds = " LIMIT :row_limit OFFSET :row_offset";
    values.emplace_back("row_limit", selection.limit >= 0
                                         ? selection.limit
                                         : std::numeric_limits<std::int64_t>::max());
    values.emplace_back("row_offset", selection.offset);
  }
  // Rows that are passed over are not read: an index has their ids.
  const std::string text = selection.offset == 0
                               ? "SELECT " + sql.list + from + where + order + bounds
                               : "SELECT " + sql.list + from + " WHERE id IN (SELECT id" + from +
                                     where + order + bounds + ")" + order;
  connection_.each(text, values, sql.columns, [&](Row& row) { fill(sql, next(), row); });
}

std::int64_t Reader::count(const Description& description, const Selection& selection) {
  std::string text = "SELECT COUNT(*) FROM " + std::string(description.plural);
  if (!selection.where.empty()) text.append(" WHERE ").append(selection.where);
  return std::get<std::int64_t>(connection_.query(text, selection.values, {Column::Integer})[0][0]);
}

std::vector<Row> Reader::query(std::string_view sql, const Values& values,
                               const std::vector<Column>& columns) {
  return connection_.query(sql, values, columns);
}

std::vector<ChangeEntry> Reader::changes_after(std::int64_t revision, std::int64_t limit) {
  std::vector<ChangeEntry> entries;
  connection_.each(
      "SELECT revision, time, actor_id, actor, address, request_id, resource, object_id, action, "
      "cluster_id, before, "
      "after FROM changes WHERE revision > :revision ORDER BY revision LIMIT :row_limit",
      {{"revision", revision}, {"row_limit", limit}},
      {Column::Integer, Column::Integer, Column::Integer, Column::Text, Column::Text, Column::Text,
       Column::Text, Column::Text, Column::Text, Column::Integer, Column::Text, Column::Text},
      [&](Row& row) {
        entries.push_back(
            {.revision = *integer_of(row[0]),
             .time = from_milliseconds(*integer_of(row[1])),
             .actor = {integer_of(row[2]), text_of(row[3]), text_of(row[4]), text_of(row[5])},
             .resource = text_of(row[6]),
             .object_id = text_of(row[7]),
             .action = parse_action(text_of(row[8])),
             .cluster_id = integer_of(row[9]),
             .before = text_of(row[10]),
             .after = text_of(row[11])});
      });
  return entries;
}

std::vector<ChangeHead> Reader::change_heads_after(std::int64_t revision, std::int64_t limit) {
  std::vector<ChangeHead> heads;
  connection_.each(
      "SELECT revision, resource, object_id, action, cluster_id FROM changes "
      "WHERE revision > :revision ORDER BY revision LIMIT :row_limit",
      {{"revision", revision}, {"row_limit", limit}},
      {Column::Integer, Column::Text, Column::Text, Column::Text, Column::Integer}, [&](Row& row) {
        heads.push_back({.revision = *integer_of(row[0]),
                         .resource = text_of(row[1]),
                         .object_id = text_of(row[2]),
                         .action = parse_action(text_of(row[3])),
                         .cluster_id = integer_of(row[4])});
      });
  return heads;
}

std::int64_t Reader::revision() {
  return std::get<std::int64_t>(connection_.query("SELECT COALESCE(MAX(revision), 0) FROM changes",
                                                  {}, {Column::Integer})[0][0]);
}

void Writer::insert(const Description& description, void* object, Logged logged) {
  const Cell id = cell_at(description, object, "id");
  if (const auto* given = std::get_if<std::int64_t>(&id)) {
    if (*given == 0)
      put_cell(description, object, "id", connection_.next(description.plural));
    else
      connection_.used(description.plural, *given);
  }
  if (find_field(description, "revision")) {
    put_cell(description, object, "created_at", to_milliseconds(now_));
    put_cell(description, object, "updated_at", to_milliseconds(now_));
    put_cell(description, object, "revision", std::int64_t{1});
  }
  const TableSql& sql = connection_.table(description);
  keep(connection_, description, sql.insert, values_of(sql, object, connection_.vault()));
  if (logged == Logged::No) return;
  record(description, object, Action::Create, "", logged_json(description, object));
}

bool Writer::update(const Description& description, void* object, const void* before,
                    Logged logged) {
  const TableSql& sql = connection_.table(description);
  const Cell id = cell_at(description, object, "id");
  const Cell old_revision = cell_at(description, object, "revision");
  std::shared_ptr<void> row;
  if (!before && logged == Logged::Yes) {
    row = description.make();
    if (!load(description, row.get(), id)) throw not_found(description.name);
    before = row.get();
  }
  const auto* counted = std::get_if<std::int64_t>(&old_revision);
  if (logged == Logged::Yes) {
    if (is_same(description, before, object)) {
      written_ = std::max(written_, connection_.last("changes"));
      return false;
    }
    if (counted) put_cell(description, object, "revision", *counted + 1);
    put_cell(description, object, "updated_at", to_milliseconds(now_));
  }
  Values values = values_of(sql, object, connection_.vault());
  if (counted) values.emplace_back("old_revision", old_revision);
  if (keep(connection_, description, sql.update, values) == 0) {
    const bool there = load(description, description.make().get(), id);
    throw there ? Error(Code::PreconditionFailed, "") : not_found(description.name);
  }
  if (logged == Logged::No) return true;
  record(description, object, Action::Update, logged_json(description, before),
         logged_json(description, object));
  return true;
}

void Writer::remove(const Description& description, const void* object, Logged logged) {
  const auto rows = connection_.execute(connection_.table(description).remove,
                                        {{"id", cell_at(description, object, "id")}});
  if (rows == 0) throw not_found(description.name);
  if (logged == Logged::No) return;
  record(description, object, Action::Delete, logged_json(description, object), "");
}

std::int64_t Writer::execute(std::string_view sql, const Values& values) {
  return connection_.execute(sql, values);
}

void Writer::note(ChangeEntry entry) {
  entry.revision = written_ = connection_.next("changes");
  entry.time = now_;
  entry.actor = actor_;
  if (entry.action != Action::Create) stale_.insert(entry.resource);
  append(connection_, entry);
}

void Writer::log(std::string_view resource, const std::string& object_id, Action action,
                 std::optional<std::int64_t> cluster_id, const boost::json::object& after) {
  note({.resource = std::string(resource),
        .object_id = object_id,
        .action = action,
        .cluster_id = cluster_id,
        .after = boost::json::serialize(after)});
}

void Writer::record(const Description& description, const void* object, Action action,
                    std::string before, std::string after) {
  note({.resource = std::string(description.name),
        .object_id = text_of(cell_at(description, object, "id")),
        .action = action,
        .cluster_id = cluster_of(description, object),
        .before = std::move(before),
        .after = std::move(after)});
}

}  // namespace mp
