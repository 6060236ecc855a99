#include "api/openapi_examples.hpp"

#include <boost/json.hpp>

namespace mp::api {
namespace {

namespace json = boost::json;

constexpr std::string_view example_time = "2025-12-12T10:30:00Z";
constexpr std::string_view example_request = "req_abc123";

// Of a schema whose declaration has no example.
json::value plainest(const json::object& schema) {
  if (const auto* names = schema.if_contains("enum")) return names->as_array().front();
  const auto* type = schema.if_contains("type");
  if (!type) return nullptr;
  const std::string_view name = type->as_string();
  if (name == "boolean") return true;
  if (name == "integer" || name == "number") {
    const auto* least = schema.if_contains("minimum");
    return least ? *least : json::value(1);
  }
  if (name == "array") {
    const json::value item = plainest(schema.at("items").as_object());
    return item.is_null() ? json::array() : json::array{item};
  }
  const auto* format = schema.if_contains("format");
  if (format && *format == "date-time") return json::value(example_time);
  if (name != "string") return json::object();
  const auto* least = schema.if_contains("minLength");
  return json::value(std::string(least ? least->to_number<std::size_t>() : 0, 'a'));
}

json::value example_value(const Field& field, SchemaOf purpose, const void* fresh) {
  if (!field.rules.example.empty()) return json::parse(field.rules.example);
  if (field.shape->inner) {
    const SchemaOf below = purpose == SchemaOf::Answer ? purpose : SchemaOf::Create;
    json::object inner = example_of(*field.shape->inner, below);
    return field.shape->json_type == JsonType::Array ? json::value(json::array{std::move(inner)})
                                                     : json::value(std::move(inner));
  }
  json::value now = field.shape->to_json(field.of(fresh));
  const bool telling = now.is_bool() || (now.is_number() && now.to_number<double>() > 0) ||
                       (now.is_string() && !now.get_string().empty());
  const json::object schema = field.shape->schema(field.rules);
  const auto* format = schema.if_contains("format");
  const bool is_time = format && *format == "date-time";
  return telling && !is_time ? now : plainest(schema);
}

bool in_example(const Description& description, const Field& field, SchemaOf purpose) {
  if (!in_schema(field, purpose)) return false;
  if (purpose == SchemaOf::Answer) return field.rules.kept != Kept::Once;
  if (purpose == SchemaOf::Create && always_there(description, field, purpose)) return true;
  return field.rules.mode == Mode::Normal && !field.rules.example.empty();
}

}  // namespace

json::object example_of(const Description& description, SchemaOf purpose) {
  json::object example;
  const auto fresh = description.make();
  for (const Field& field : description.fields) {
    if (in_example(description, field, purpose))
      example[field.name] = example_value(field, purpose, fresh.get());
  }
  return example;
}

json::value example_of(const json::object& schema) {
  const auto* usual = schema.if_contains("default");
  return usual ? *usual : plainest(schema);
}

json::object example_answer(const Endpoint& endpoint) {
  json::value data = nullptr;
  if (endpoint.data != Data::Nothing) data = example_of(*endpoint.data_of, SchemaOf::Answer);
  if (endpoint.data == Data::Page) {
    data = {{endpoint.data_of->plural, json::array{std::move(data)}},
            {"total", 1},
            {"page", 1},
            {"limit", 20}};
  }
  return {{"success", true},
          {"data", std::move(data)},
          {"message", "Operation completed successfully"},
          {"timestamp", example_time},
          {"request_id", example_request}};
}

json::object example_error(const CodeFacts& code) {
  json::object error{{"code", code.name}, {"message", code.message}};
  json::object details;
  if (code.code == Code::Validation) {
    details = {{"field", "ip_fqdn"},
               {"issue", "Must be valid IP address or FQDN"},
               {"provided", "invalid..value"}};
    error["violations"] = json::array{details};
  }
  if (code.code == Code::Feature) {
    details = {{"feature", "multi_cluster"},
               {"upgrade", "Several clusters need an Enterprise license."}};
  }
  if (code.code == Code::Conflict) details = {{"field", "name"}, {"issue", "Is already taken"}};
  error["details"] = std::move(details);
  return {{"success", false},
          {"error", std::move(error)},
          {"timestamp", example_time},
          {"request_id", example_request}};
}

}  // namespace mp::api
