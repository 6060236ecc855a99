#include "api/openapi_schemas.hpp"

#include <boost/json.hpp>

namespace mp::api {
namespace {

namespace json = boost::json;

json::object to_schema(std::string_view name) {
  return {{"$ref", "#/components/schemas/" + std::string(name)}};
}

json::object text(std::string_view help) { return {{"type", "string"}, {"description", help}}; }

json::object object_of(json::object properties, json::array required, std::string_view help) {
  json::object object{{"type", "object"},
                      {"description", help},
                      {"additionalProperties", false},
                      {"properties", std::move(properties)}};
  if (!required.empty()) object["required"] = std::move(required);
  return object;
}

json::object success_flag(bool success) {
  return {{"type", "boolean"},
          {"enum", json::array{success}},
          {"description", "Whether the request did what it asked for."}};
}

json::object envelope(json::object data, std::string_view help) {
  return object_of({{"success", success_flag(true)},
                    {"data", std::move(data)},
                    {"message", text("What was done.")},
                    {"timestamp", to_schema("Timestamp")},
                    {"request_id", to_schema("RequestId")}},
                   {"success", "data", "message", "timestamp", "request_id"}, help);
}

json::object violation() {
  return object_of({{"field", text("Path of the field: auth_config.jwt_expiry, ports[2].")},
                    {"issue", text("What is wrong with it.")},
                    {"provided", json::object{{"description", "What was sent; never a secret."}}}},
                   {"field", "issue"}, "A breach of a rule.");
}

// Everything that `details` can say; which of it is there depends on the error.
json::object details() {
  const json::object cluster =
      object_of({{"id", json::object{{"type", "integer"}, {"format", "int64"}, {"minimum", 1}}},
                 {"name", text("Its name.")}},
                {"id", "name"}, "The one that the edition has.");
  return object_of(
      {{"field", text("The field that the error is about.")},
       {"issue", text("What is wrong with it.")},
       {"provided", json::object{{"description", "What was sent; never a secret."}}},
       {"feature", text("The licence feature that is needed.")},
       {"upgrade", text("What to do to get it.")},
       {"totp_required",
        json::object{{"type", "boolean"},
                     {"enum", json::array{true}},
                     {"description", "The password is right; the second factor is missing."}}},
       {"default_cluster", cluster},
       {"mappings", json::object{{"type", "array"},
                                 {"items", json::object{{"type", "integer"}, {"format", "int64"}}},
                                 {"description", "The mappings that need it."}}},
       {"mapping_id", json::object{{"type", "integer"},
                                   {"format", "int64"},
                                   {"minimum", 1},
                                   {"description", "The mapping that is in the way."}}}},
      {}, "The first violation, or what the code needs.");
}

json::object error_envelope(json::object code, json::object more, json::array required,
                            std::string_view help) {
  json::object members{{"code", std::move(code)},
                       {"message", text("For people.")},
                       {"details", to_schema("ErrorDetails")}};
  for (auto& member : more) members[member.key()] = member.value();
  return object_of(
      {{"success", success_flag(false)},
       {"error", object_of(std::move(members), std::move(required), "What went wrong.")},
       {"timestamp", to_schema("Timestamp")},
       {"request_id", to_schema("RequestId")}},
      {"success", "error", "timestamp", "request_id"}, help);
}

json::object error_answer() {
  json::array codes;
  for (const CodeFacts& code : all_codes()) {
    if (code.code != Code::Validation) codes.emplace_back(code.name);
  }
  return error_envelope(
      {{"type", "string"}, {"enum", std::move(codes)}, {"description", "For programs."}}, {},
      {"code", "message", "details"}, "A refused or failed request.");
}

json::object validation_answer() {
  const json::object list{{"type", "array"},
                          {"minItems", 1},
                          {"items", to_schema("Violation")},
                          {"description", "All breaches at once."}};
  return error_envelope({{"type", "string"},
                         {"enum", json::array{facts(Code::Validation).name}},
                         {"description", "For programs."}},
                        {{"violations", list}}, {"code", "message", "details", "violations"},
                        "A request that breaks rules.");
}

// Names what the struct is for where that makes a difference.
std::string name_of(const Description& description, SchemaOf purpose) {
  const std::string name = camel_case(description.name);
  if (purpose == SchemaOf::Answer) return name;
  if (purpose == SchemaOf::Update) return "Update" + name;
  if (description.plural.empty())
    return schema(description, purpose) == schema(description, SchemaOf::Answer) ? name
                                                                                 : name + "Input";
  return "Create" + name;
}

}  // namespace

std::string camel_case(std::string_view name) {
  std::string text;
  bool first = true;
  for (const char letter : name) {
    if (letter != '_') text.push_back(first ? static_cast<char>(std::toupper(letter)) : letter);
    first = letter == '_';
  }
  return text;
}

json::object error_reference(Code code) {
  return to_schema(code == Code::Validation ? "ValidationErrorAnswer" : "ErrorAnswer");
}

Schemas::Schemas() {
  schemas_["Timestamp"] = {{"type", "string"},
                           {"format", "date-time"},
                           {"description", "When the answer was made, UTC."},
                           {"example", "2025-12-12T10:30:00Z"}};
  schemas_["RequestId"] = {{"type", "string"},
                           {"pattern", "^[A-Za-z0-9._-]{1,64}$"},
                           {"description", "The request's id, as in X-Request-ID."},
                           {"example", "req_abc123"}};
  schemas_["Violation"] = violation();
  schemas_["ErrorDetails"] = details();
  schemas_["ErrorAnswer"] = error_answer();
  schemas_["ValidationErrorAnswer"] = validation_answer();
}

json::object Schemas::place(const std::string& name, const Description& description,
                            SchemaOf purpose, Null null) {
  if (schemas_.contains(name)) return to_schema(name);
  schemas_[name] = nullptr;  // keeps the place while the structs inside are added
  json::object made =
      schema(description, purpose, [this](const Description& below, SchemaOf use, Null may_be) {
        return inner(below, use, may_be);
      });
  made["description"] = description.help;
  if (null == Null::Allowed) made["nullable"] = true;
  schemas_[name] = std::move(made);
  return to_schema(name);
}

json::object Schemas::inner(const Description& description, SchemaOf purpose, Null null) {
  const std::string name = name_of(description, purpose);
  return place(null == Null::Allowed ? "Nullable" + name : name, description, purpose, null);
}

json::object Schemas::body(const Description& description, SchemaOf purpose) {
  const bool plain = description.plural.empty() && purpose == SchemaOf::Create;
  const std::string name = plain ? camel_case(description.name) : name_of(description, purpose);
  return place(name, description, purpose, Null::Refused);
}

json::object Schemas::document(const Description& description) {
  return inner(description, SchemaOf::Answer, Null::Refused);
}

json::object Schemas::page(const Description& description) {
  const std::string name = camel_case(description.name) + "List";
  if (schemas_.contains(name)) return to_schema(name);
  const auto count = [](std::string_view help, std::int64_t least) {
    return json::object{
        {"type", "integer"}, {"format", "int64"}, {"minimum", least}, {"description", help}};
  };
  json::object items{{"type", "array"},
                     {"maxItems", 100},
                     {"items", inner(description, SchemaOf::Answer, Null::Refused)},
                     {"description", "Those on this page."}};
  json::object made = object_of({{description.plural, std::move(items)},
                                 {"total", count("How many there are on all pages.", 0)},
                                 {"page", count("Number of this page.", 1)},
                                 {"limit", count("Most that a page has.", 1)}},
                                {description.plural, "total", "page", "limit"},
                                "A page of " + std::string(description.plural) + ".");
  schemas_[name] = std::move(made);
  return to_schema(name);
}

json::object Schemas::answer(const Endpoint& endpoint) {
  json::object data{{"type", "object"},
                    {"nullable", true},
                    {"additionalProperties", false},
                    {"description", "Nothing: null."}};
  std::string name = "Done";
  if (endpoint.data == Data::Object) {
    data = inner(*endpoint.data_of, SchemaOf::Answer, Null::Refused);
    name = camel_case(endpoint.data_of->name);
  } else if (endpoint.data == Data::Page) {
    data = page(*endpoint.data_of);
    name = camel_case(endpoint.data_of->name) + "List";
  }
  name += "Answer";
  if (!schemas_.contains(name))
    schemas_[name] = envelope(std::move(data), "The envelope of every answer.");
  return to_schema(name);
}

}  // namespace mp::api
