#include "api/selection.hpp"

#include "api/draft.hpp"
#include "base/utf8.hpp"

namespace mp::api {
namespace {

Cell cell_of(const boost::json::value& value) {
  if (value.is_bool()) return static_cast<std::int64_t>(value.as_bool());
  if (value.is_int64()) return value.as_int64();
  if (value.is_double()) return value.as_double();
  return std::string(value.as_string());
}

}  // namespace

std::string like_part(std::string_view text) {
  std::string pattern = "%";
  for (const char letter : ascii_lower(text)) {
    if (letter == '%' || letter == '_' || letter == '\\') pattern.push_back('\\');
    pattern.push_back(letter);
  }
  return pattern.append("%");
}

void narrow(Selection& selection, const std::string& condition) {
  if (!selection.where.empty()) selection.where.append(" AND ");
  selection.where.append(condition);
}

Selection selection_of(const Description& description, const ListQuery& query) {
  Selection selection;
  for (const auto& [name, value] : query.filters) {
    const Field* field = find_field(description, name);
    if (!field || !field->rules.filter || !field->stored()) continue;  // its noun does the others
    narrow(selection, name + " = :" + name);
    selection.values.emplace_back(name, cell_of(value));
  }
  if (!query.search.empty()) {
    std::string any;
    for (const Field& field : description.fields) {
      if (!field.rules.search) continue;
      any.append(any.empty() ? "(" : " OR ");
      any.append("LOWER(").append(field.name).append(") LIKE :search ESCAPE '\\'");
    }
    narrow(selection, any.append(")"));
    selection.values.emplace_back("search", like_part(query.search));
  }
  if (!query.sort.empty()) selection.order = query.sort;
  return selection;
}

void narrow_to_visible(Selection& selection, const Caller& caller, const std::string& column) {
  if (caller.sees_all()) return;
  std::string ids;
  if (caller.user) {
    for (const std::int64_t id : caller.user->clusters)
      ids.append(ids.empty() ? "" : ",").append(std::to_string(id));
  }
  narrow(selection, ids.empty() ? "1 = 0" : column + " IN (" + ids + ")");
}

void check_cluster(Reader& db, const Caller& caller, std::int64_t cluster_id) {
  Violations violations;
  look_for_cluster(db, caller, cluster_id, violations);
  refuse(std::move(violations));
}

void look_for_cluster(Reader& db, const Caller& caller, std::optional<std::int64_t> cluster_id,
                      Violations& violations) {
  if (!cluster_id || is_broken(violations, "cluster_id")) return;
  if (may_see(caller, *cluster_id) && db.has<Cluster>(*cluster_id)) return;
  violations.push_back({"cluster_id", "Is not a cluster that you can use", *cluster_id});
}

}  // namespace mp::api
