#include "cli/look.hpp"

#include <boost/json/serialize.hpp>

#include <array>
#include <charconv>

namespace mp::cli {

namespace json = boost::json;

const json::value* Place::find(std::string_view path) const {
  if (path.empty()) return value_;
  const json::object* inside = object();
  for (;;) {
    const auto dot = path.find('.');
    const auto* found = inside ? inside->if_contains(path.substr(0, dot)) : nullptr;
    if (!found || dot == std::string_view::npos) return found;
    inside = found->if_object();
    path.remove_prefix(dot + 1);
  }
}

std::string text_at(Place place, std::string_view path) {
  const auto* found = place.find(path);
  const auto* text = found ? found->if_string() : nullptr;
  return text ? std::string(*text) : std::string();
}

std::int64_t number_at(Place place, std::string_view path) {
  const auto* found = place.find(path);
  const auto* number = found ? found->if_int64() : nullptr;
  return number ? *number : 0;
}

bool flag_at(Place place, std::string_view path) {
  const auto* found = place.find(path);
  const auto* flag = found ? found->if_bool() : nullptr;
  return flag && *flag;
}

const json::array& list_at(Place place, std::string_view path) {
  static const json::array none;
  const auto* found = place.find(path);
  const auto* list = found ? found->if_array() : nullptr;
  return list ? *list : none;
}

const json::object& object_at(Place place, std::string_view path) {
  static const json::object none;
  const auto* found = place.find(path);
  const auto* object = path.empty() ? place.object() : found ? found->if_object() : nullptr;
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
