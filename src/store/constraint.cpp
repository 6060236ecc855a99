#include "store/constraint.hpp"

namespace mp {
namespace {

// Without the table in front: "services_name" → "name".
std::string field_of_index(std::string_view index) {
  const auto at = index.find('_');
  const std::string_view field = at == std::string_view::npos ? index : index.substr(at + 1);
  return field == "pkey" ? "id" : std::string(field);
}

}  // namespace

std::string field_of_constraint(std::string_view text) {
  const auto quote = text.find("index '");
  if (quote != std::string_view::npos) {
    text.remove_prefix(quote + 7);
    return field_of_index(text.substr(0, text.find('\'')));
  }
  const auto dot = text.rfind('.');
  if (dot == std::string_view::npos) return field_of_index(text);
  return std::string(text.substr(dot + 1));
}

Error taken(std::string_view constraint) {
  const std::string field = field_of_constraint(constraint);
  return conflict(field, "This " + field + " is taken already");
}

Error still_used(std::string log) {
  Error error(Code::Conflict, "It is still in use, or needs something that is gone");
  error.log = std::move(log);
  return error;
}

}  // namespace mp
