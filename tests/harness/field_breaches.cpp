#include "field_breaches.hpp"

#include <boost/json.hpp>

namespace mp::test {

namespace json = boost::json;

namespace {

struct Bad {
  std::string path;  // below the field
  std::string kind;
  json::value value;
};

json::value of_wrong_type(const json::object& schema) {
  const auto* type = schema.if_contains("type");
  if (!type) return json::object();
  const std::string_view name = type->as_string();
  if (name == "string") return 12345;
  if (name == "object") return json::array();
  if (name == "array") return json::object();
  return json::value("no such value");
}

bool is_nullable(const json::object& schema) {
  const auto* nullable = schema.if_contains("nullable");
  return nullable && nullable->as_bool();
}

void add_bounds(const json::object& schema, std::vector<Bad>& bad) {
  if (const auto* least = schema.if_contains("minimum"))
    bad.push_back({"", "below", least->to_number<std::int64_t>() - 1});
  if (const auto* most = schema.if_contains("maximum"))
    bad.push_back({"", "above", most->to_number<std::int64_t>() + 1});
  const auto text = [](std::int64_t length) {
    return json::value(std::string(static_cast<std::size_t>(length), 'a'));
  };
  if (const auto* least = schema.if_contains("minLength");
      least && least->to_number<std::int64_t>() > 0) {
    bad.push_back({"", "below", text(least->to_number<std::int64_t>() - 1)});
  }
  if (const auto* most = schema.if_contains("maxLength"))
    bad.push_back({"", "above", text(most->to_number<std::int64_t>() + 1)});
  if (const auto* least = schema.if_contains("minItems");
      least && least->to_number<std::int64_t>() > 0) {
    bad.push_back({"", "below", json::array()});
  }
  if (const auto* most = schema.if_contains("maxItems")) {
    bad.push_back({"", "above", json::array(most->to_number<std::size_t>() + 1, json::value("a"))});
  }
}

std::vector<Bad> bad_values(const json::object& schema, const json::value* good);

// Objects that are right but for one member.
std::vector<Bad> bad_members(const json::object& schema, const json::object& good) {
  std::vector<Bad> bad;
  if (const auto* required = schema.if_contains("required")) {
    for (const auto& name : required->as_array()) {
      json::object object = good;
      object.erase(name.as_string());
      bad.push_back({"." + std::string(name.as_string()), "missing", std::move(object)});
    }
  }
  for (const auto& member : schema.at("properties").as_object()) {
    json::object property = member.value().as_object();
    if (property.contains("readOnly")) property.erase("properties");  // refused as a whole
    for (Bad& each : bad_values(property, good.if_contains(member.key()))) {
      json::object object = good;
      object[member.key()] = std::move(each.value);
      bad.push_back({"." + std::string(member.key()) + each.path, each.kind, std::move(object)});
    }
  }
  json::object object = good;
  object["no_such_field"] = 1;
  bad.push_back({".no_such_field", "unknown", std::move(object)});
  return bad;
}

std::vector<Bad> bad_values(const json::object& schema, const json::value* good) {
  std::vector<Bad> bad{{"", "wrong type", of_wrong_type(schema)}};
  if (!is_nullable(schema)) bad.push_back({"", "null", nullptr});
  add_bounds(schema, bad);
  if (const auto* items = schema.if_contains("items")) {
    bad.push_back({"[0]", "wrong type", json::array{of_wrong_type(items->as_object())}});
  }
  if (!schema.contains("properties")) return bad;
  const json::object whole = good && good->is_object() ? good->as_object() : json::object();
  for (Bad& each : bad_members(schema, whole)) bad.push_back(std::move(each));
  return bad;
}

}  // namespace

std::vector<Breach> breaches(const json::object& schema, const json::object& good) {
  std::vector<Breach> found;
  for (Bad& each : bad_members(schema, good)) {
    found.push_back({each.path.substr(1), each.kind, std::move(each.value.as_object())});
  }
  return found;
}

}  // namespace mp::test
