#include "cli/look.hpp"

#include <boost/json/serialize.hpp>

#include <array>
#include <charconv>

namespace mp::cli {

namespace json = boost::json;

const json::value* find_at(const json::value& value, std::string_view path) {
  const json::value* at = &value;
  while (!path.empty()) {
    const auto* object = at->if_object();
    const auto dot = std::min(path.find('.'), path.size());
    at = object ? object->if_contains(path.substr(0, dot)) : nullptr;
    if (!at) return nullptr;
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return at;
}

std::string text_at(const json::value& value, std::string_view path) {
  const auto* found = find_at(value, path);
  const auto* text = found ? found->if_string() : nullptr;
  return text ? std::string(*text) : std::string();
}

std::int64_t number_at(const json::value& value, std::string_view path) {
  const auto* found = find_at(value, path);
  const auto* number = found ? found->if_int64() : nullptr;
  return number ? *number : 0;
}

bool flag_at(const json::value& value, std::string_view path) {
  const auto* found = find_at(value, path);
  const auto* flag = found ? found->if_bool() : nullptr;
  return flag && *flag;
}

const json::array& list_at(const json::value& value, std::string_view path) {
  static const json::array none;
  const auto* found = find_at(value, path);
  const auto* list = found ? found->if_array() : nullptr;
  return list ? *list : none;
}

const json::object& object_at(const json::value& value, std::string_view path) {
  static const json::object none;
  const auto* found = find_at(value, path);
  const auto* object = found ? found->if_object() : nullptr;
  return object ? *object : none;
}

std::string number_text(const json::value& value) {
  const auto* number = value.if_double();
  if (!number) return json::serialize(value);
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), *number).ptr;
  return {text.data(), end};
}

}  // namespace mp::cli
