#include "agent/json_path.hpp"

#include <boost/json/parse.hpp>

namespace json = boost::json;

namespace mp::agent {

const json::value* find_at(const json::value& root, JsonPath path) {
  const json::value* at = &root;
  for (const std::string_view name : path) {
    const json::object* object = at->if_object();
    at = object == nullptr ? nullptr : object->if_contains(name);
    if (at == nullptr) return nullptr;
  }
  return at;
}

std::string text_at(const json::value& root, JsonPath path) {
  const json::value* found = find_at(root, path);
  return found != nullptr && found->is_string() ? std::string(found->as_string()) : std::string();
}

std::int64_t integer_at(const json::value& root, JsonPath path, std::int64_t otherwise) {
  const json::value* found = find_at(root, path);
  json::error_code failure;
  const auto value = found == nullptr ? otherwise : found->to_number<std::int64_t>(failure);
  return failure ? otherwise : value;
}

json::value parsed(std::string_view text) {
  json::error_code failure;
  json::value value = json::parse(text, failure);
  return failure ? json::value() : value;
}

}  // namespace mp::agent
