// A member that is any JSON object: what it holds is judged by whoever it is for.
#pragma once

#include "model/shape.hpp"

namespace mp {

struct JsonObject {
  boost::json::object members;
  bool operator==(const JsonObject&) const = default;
};

template <>
struct ShapeOf<JsonObject> {
  static constexpr JsonType json_type = JsonType::Object;
  static constexpr Column column = Column::Text;
  static json::value to_json(const JsonObject& value) { return value.members; }
  // What is not an object is not shown: it may be a secret.
  static void from_json(JsonObject& target, const json::value& value, const Rules&,
                        const std::string& path, Violations& violations) {
    if (const auto* object = value.if_object())
      target.members = *object;
    else
      shape::add(violations, {.sensitive = true}, path, "Must be a JSON object", nullptr);
  }
  static json::object schema(const Rules&) {
    return {{"type", "object"}, {"additionalProperties", true}};
  }
  static Cell to_cell(const JsonObject& value) { return shape::cell_text(value.members); }
  static void from_cell(JsonObject& target, const Cell& cell) {
    Violations ignored;
    from_json(target, shape::parse_cell(cell), shape::own_rules, "", ignored);
  }
};

}  // namespace mp
