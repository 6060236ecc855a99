#include "schema_check.hpp"

#include "base/time.hpp"

#include <boost/json.hpp>
#include <boost/regex/pending/unicode_iterator.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>

namespace mp::test {

namespace json = boost::json;

struct SchemaCheck::Place {
  const json::value& value;
  const json::object& schema;
  std::string path;
};

namespace {

constexpr std::array understood_keywords = std::to_array<std::string_view>(
    {"type",      "nullable",    "properties", "required", "additionalProperties",
     "items",     "enum",        "minimum",    "maximum",  "minLength",
     "maxLength", "minItems",    "maxItems",   "pattern",  "oneOf",
     "format",    "description", "example",    "default",  "title",
     "readOnly",  "allOf",       "uniqueItems"});

constexpr std::array understood_formats = std::to_array<std::string_view>(
    {"date-time", "int32", "int64", "double", "email", "binary", "byte"});

// Patterns speak of characters.
std::wstring characters(std::string_view text) {
  using Each = boost::u8_to_u32_iterator<std::string_view::const_iterator, wchar_t>;
  return {Each(text.begin(), text.begin(), text.end()), Each(text.end(), text.begin(), text.end())};
}

bool is_among(std::span<const std::string_view> known, std::string_view name) {
  return std::ranges::find(known, name) != known.end();
}

bool is_integer(const json::value& value) { return value.is_int64() || value.is_uint64(); }

bool fits_type(const json::value& value, std::string_view type) {
  if (type == "string") return value.is_string();
  if (type == "integer") return is_integer(value);
  if (type == "number") return value.is_number();
  if (type == "boolean") return value.is_bool();
  if (type == "array") return value.is_array();
  return type == "object" && value.is_object();
}

// JSON Schema counts characters, not bytes.
std::int64_t length(std::string_view text) {
  return std::ranges::count_if(
      text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; });
}

void bounds(const json::object& schema, std::string_view low, std::string_view high, double size,
            const std::string& path, std::vector<std::string>& found) {
  const auto* least = schema.if_contains(low);
  const auto* most = schema.if_contains(high);
  if (least && size < least->to_number<double>())
    found.push_back(path + ": under " + std::string(low));
  if (most && size > most->to_number<double>())
    found.push_back(path + ": over " + std::string(high));
}

}  // namespace

SchemaCheck::SchemaCheck(const json::value& document) : document_(document) {
  collect_patterns(document);
}

void SchemaCheck::collect_patterns(const json::value& node) {
  if (const auto* list = node.if_array()) {
    for (const auto& item : *list) collect_patterns(item);
  }
  const auto* object = node.if_object();
  if (!object) return;
  for (const auto& member : *object) {
    if (member.key() == "pattern" && member.value().is_string()) {
      const std::string text(member.value().as_string());
      patterns_.try_emplace(text, characters(text), std::wregex::ECMAScript);
    } else {
      collect_patterns(member.value());
    }
  }
}

const json::value* SchemaCheck::resolve(const json::value& schema) const {
  const auto* object = schema.if_object();
  const auto* reference = object ? object->if_contains("$ref") : nullptr;
  if (!reference) return &schema;
  const std::string_view text = reference->as_string();
  if (!text.starts_with("#/")) return nullptr;
  json::error_code error;
  return document_.find_pointer(text.substr(1), error);
}

std::vector<std::string> SchemaCheck::problems(const json::value& value,
                                               const json::value& schema) const {
  std::vector<std::string> found;
  const json::value* resolved = resolve(schema);
  if (!resolved || !resolved->is_object()) return {"the schema is missing"};
  check({value, resolved->as_object(), "$"}, found);
  return found;
}

void SchemaCheck::check(const Place& place, std::vector<std::string>& found) const {
  for (const auto& member : place.schema) {
    if (!is_among(understood_keywords, member.key())) {
      found.push_back(place.path + ": schema keyword " + std::string(member.key()) +
                      " is not understood");
    }
  }
  const auto* format = place.schema.if_contains("format");
  if (format && !is_among(understood_formats, format->as_string()))
    found.push_back(place.path + ": schema format is not understood");
  if (place.schema.contains("oneOf")) return check_one_of(place, found);
  if (const auto* all = place.schema.if_contains("allOf")) {
    for (const auto& each : all->as_array()) {
      const json::value* schema = resolve(each);
      if (!schema) return found.push_back(place.path + ": $ref to nothing");
      check({place.value, schema->as_object(), place.path}, found);
    }
  }
  const auto* nullable = place.schema.if_contains("nullable");
  const auto* type = place.schema.if_contains("type");
  if (place.value.is_null() && nullable && nullable->as_bool()) return;
  if (type && !fits_type(place.value, type->as_string())) {
    found.push_back(place.path + ": is not of type " + std::string(type->as_string()));
    return;
  }
  check_kind(place, found);
}

void SchemaCheck::check_kind(const Place& place, std::vector<std::string>& found) const {
  if (const auto* names = place.schema.if_contains("enum")) {
    const auto& list = names->as_array();
    if (std::ranges::find(list, place.value) == list.end())
      found.push_back(place.path + ": is not in the enum");
  }
  if (place.value.is_string()) check_text(place, found);
  if (place.value.is_number()) check_number(place, found);
  if (place.value.is_array()) check_list(place, found);
  if (place.value.is_object()) check_object(place, found);
}

void SchemaCheck::check_text(const Place& place, std::vector<std::string>& found) const {
  const std::string text(place.value.as_string());
  bounds(place.schema, "minLength", "maxLength", static_cast<double>(length(text)), place.path,
         found);
  if (const auto* pattern = place.schema.if_contains("pattern")) {
    const auto& expression = patterns_.find(std::string_view(pattern->as_string()))->second;
    if (!std::regex_search(characters(text), expression))
      found.push_back(place.path + ": breaks its pattern");
  }
  const auto* format = place.schema.if_contains("format");
  if (format && format->as_string() == "date-time" && (!parse_time(text) || !text.ends_with('Z'))) {
    found.push_back(place.path + ": is no UTC time");
  }
}

void SchemaCheck::check_number(const Place& place, std::vector<std::string>& found) const {
  bounds(place.schema, "minimum", "maximum", place.value.to_number<double>(), place.path, found);
  const auto* format = place.schema.if_contains("format");
  if (!format || *format != "int32") return;
  if (std::abs(place.value.to_number<double>()) > std::numeric_limits<std::int32_t>::max())
    found.push_back(place.path + ": is no int32");
}

void SchemaCheck::check_list(const Place& place, std::vector<std::string>& found) const {
  const auto& list = place.value.as_array();
  bounds(place.schema, "minItems", "maxItems", static_cast<double>(list.size()), place.path, found);
  const auto* unique = place.schema.if_contains("uniqueItems");
  for (auto at = list.begin(); unique && unique->as_bool() && at != list.end(); ++at) {
    if (std::find(list.begin(), at, *at) != at) found.push_back(place.path + ": repeats an item");
  }
  const auto* items = place.schema.if_contains("items");
  if (!items && !place.schema.contains("type")) return;  // anything goes
  if (!items) return found.push_back(place.path + ": the schema does not say what is in the list");
  const json::value* item = resolve(*items);
  if (!item) return found.push_back(place.path + ": $ref to nothing");
  for (std::size_t at = 0; at < list.size(); ++at) {
    check({list[at], item->as_object(), place.path + "[" + std::to_string(at) + "]"}, found);
  }
}

void SchemaCheck::check_object(const Place& place, std::vector<std::string>& found) const {
  const auto& object = place.value.as_object();
  if (const auto* required = place.schema.if_contains("required")) {
    for (const auto& name : required->as_array()) {
      if (!object.contains(name.as_string()))
        found.push_back(place.path + ": lacks " + std::string(name.as_string()));
    }
  }
  const auto* properties = place.schema.if_contains("properties");
  const auto* others = place.schema.if_contains("additionalProperties");
  for (const auto& member : object) {
    const auto* property = properties ? properties->as_object().if_contains(member.key()) : nullptr;
    const std::string path = place.path + "." + std::string(member.key());
    if (!property) {
      if (others && others->is_bool() && !others->as_bool())
        found.push_back(path + ": is not in the schema");
      continue;
    }
    const json::value* schema = resolve(*property);
    if (schema)
      check({member.value(), schema->as_object(), path}, found);
    else
      found.push_back(path + ": $ref to nothing");
  }
}

void SchemaCheck::check_one_of(const Place& place, std::vector<std::string>& found) const {
  int fitting = 0;
  for (const auto& each : place.schema.at("oneOf").as_array()) {
    std::vector<std::string> ignored;
    const json::value* schema = resolve(each);
    if (schema) check({place.value, schema->as_object(), place.path}, ignored);
    if (schema && ignored.empty()) ++fitting;
  }
  if (fitting != 1) found.push_back(place.path + ": fits " + std::to_string(fitting) + " of oneOf");
}

}  // namespace mp::test
