#include "model/json_text.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace mp {
namespace {

namespace json = boost::json;

bool is_plain(std::string_view text) {
  return std::ranges::none_of(text, [](char letter) {
    return static_cast<unsigned char>(letter) < 0x20 || letter == '"' || letter == '\\';
  });
}

// A nested object that is there: it is written by its own fields.
bool is_part(const Shape& shape) {
  return shape.inner && shape.json_type == JsonType::Object && !shape.nullable;
}

}  // namespace

void append_json(std::string& text, std::string_view value) {
  if (!is_plain(value)) {
    text.append(json::serialize(json::string_view(value)));
    return;
  }
  text.push_back('"');
  text.append(value).push_back('"');
}

void append_json(std::string& text, const json::value& value) {
  if (value.is_null())
    text.append("null");
  else if (const auto* flag = value.if_bool())
    text.append(*flag ? "true" : "false");
  else if (const auto* number = value.if_int64())
    text.append(std::to_string(*number));
  else if (const auto* string = value.if_string())
    append_json(text, std::string_view(*string));
  else if (const auto* list = value.if_array(); list && list->empty())
    text.append("[]");
  else
    text.append(json::serialize(value));
}

void append_json(std::string& text, const Description& description, const void* object) {
  text.push_back('{');
  bool first = true;
  const auto name = [&](const Field& field) {
    if (!first) text.push_back(',');
    first = false;
    text.push_back('"');
    text.append(field.name).append("\":");
  };
  for (const Field& field : description.fields) {
    if (!field.in_answers()) continue;
    if (is_part(*field.shape)) {
      name(field);
      append_json(text, *field.shape->inner, field.of(object));
      continue;
    }
    const json::value value = field.shape->to_json(field.of(object));
    if (field.rules.kept == Kept::Once && value.is_null()) continue;
    name(field);
    append_json(text, value);
  }
  text.push_back('}');
}

}  // namespace mp
