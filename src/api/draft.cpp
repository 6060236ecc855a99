#include "api/draft.hpp"

#include <algorithm>

namespace mp::api {

Violations read_draft(Call& call, const Description& description, void* object) {
  Violations violations;
  read_new(description, object, call.body(), "", violations);
  if (!call.body().is_object()) refuse(std::move(violations));
  return violations;
}

bool is_broken(const Violations& violations, std::string_view field) {
  return std::ranges::any_of(violations, [&](const Violation& each) {
    if (!each.field.starts_with(field)) return false;
    const std::string_view rest = std::string_view(each.field).substr(field.size());
    return rest.empty() || rest.front() == '[' || rest.front() == '.';
  });
}

bool is_broken_as_a_whole(const Violations& violations, std::string_view field) {
  return std::ranges::find(violations, field, &Violation::field) != violations.end();
}

void refuse(Violations violations) {
  if (!violations.empty()) throw invalid(std::move(violations));
}

void refuse_breaches(Call& call, const Violations& violations, const Look& look) {
  if (violations.empty()) return;
  Violations all;
  call.read([&](Reader& db) {
    all = violations;  // the database may have it run again
    look(db, all);
  });
  refuse(std::move(all));
}

}  // namespace mp::api
