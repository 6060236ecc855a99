#include "api/openapi_inputs.hpp"

#include "api/openapi.hpp"
#include "api/openapi_examples.hpp"

#include <boost/json.hpp>

namespace mp::api {
namespace {

namespace json = boost::json;

// Headers that endpoints honour by what they are.
Parameter if_match() {
  return {"If-Match",
          "header",
          "Only when the object is still at one of these versions, otherwise 412.",
          {{"type", "string"}, {"example", "\"3-live\""}},
          false,
          "if_match"};
}

Parameter if_none_match() {
  return {"If-None-Match",
          "header",
          "Only when the object is no longer at one of these versions, otherwise 304.",
          {{"type", "string"}, {"example", "\"3-live\""}},
          false,
          "if_none_match"};
}

Parameter prefer() {
  return {
      "Prefer",
      "header",
      "wait=SECONDS, at most 60: answer when the proxies concerned hold the change, or when the "
      "time is over (RFC 7240).",
      {{"type", "string"}, {"example", "wait=10"}},
      false,
      "prefer"};
}

Parameter idempotency_key() {
  return {
      "Idempotency-Key",
      "header",
      "The same key and body get the first answer again, for 24 hours; another body is 409. Empty "
      "counts as none.",
      {{"type", "string"}, {"maxLength", 255}, {"example", "8e03978e-40d5-43dd-bc93-6894a57f9324"}},
      false,
      "idempotency_key"};
}

std::vector<Parameter> parameters(const Endpoint& endpoint) {
  std::vector<Parameter> list = endpoint.parameters;
  if (conditional(endpoint)) list.push_back(if_match());
  if (endpoint.method == "GET" && endpoint.has_etag) list.push_back(if_none_match());
  if (changes(endpoint)) list.push_back(prefer());
  if (changes(endpoint) && endpoint.method == "POST") list.push_back(idempotency_key());
  return list;
}

json::object parameter_json(const Parameter& parameter) {
  json::object schema = parameter.schema;
  json::object described{{"name", parameter.name},
                         {"in", parameter.in},
                         {"description", parameter.help},
                         {"required", parameter.required}};
  const auto* example = schema.if_contains("example");
  described["example"] = example ? *example : example_of(schema);
  schema.erase("example");
  described["schema"] = std::move(schema);
  return described;
}

json::object security_scheme(std::string_view header, std::string_view help) {
  return {{"type", "apiKey"}, {"in", "header"}, {"name", header}, {"description", help}};
}

}  // namespace

json::array parameters_of(const Endpoint& endpoint) {
  json::array list;
  for (const Parameter& parameter : parameters(endpoint)) {
    if (parameter.component.empty())
      list.push_back(parameter_json(parameter));
    else
      list.push_back(
          json::object{{"$ref", "#/components/parameters/" + camel_case(parameter.component)}});
  }
  return list;
}

json::value body_of(const Endpoint& endpoint, Schemas& schemas) {
  if (!endpoint.body) return nullptr;
  const Description& body = *endpoint.body;
  const std::string_view type =
      endpoint.method == "PATCH" ? "application/merge-patch+json" : endpoint.body_type;
  json::object content{{"schema", schemas.body(body, endpoint.body_schema)},
                       {"example", example_of(body, endpoint.body_schema)}};
  return json::object{{"description", body.help},
                      {"required", !endpoint.body_is_optional},
                      {"content", json::object{{type, std::move(content)}}}};
}

json::array security_of(const Endpoint& endpoint) {
  switch (endpoint.declaration.needs) {
    case Needs::Nothing: return {};
    case Needs::ClusterKey:
      return {json::object{{"cluster_key", json::array{}}},
              json::object{{"cluster_key_short", json::array{}}}};
    case Needs::User:
    case Needs::Admin: break;
  }
  const json::object session{{"session", json::array{}}}, api_key{{"api_key", json::array{}}};
  if (endpoint.declaration.through == Through::Session) return json::array{session};
  return {session, api_key};
}

json::object parameter_components(const std::vector<Endpoint>& endpoints) {
  json::object components;
  for (const Endpoint& endpoint : endpoints) {
    for (const Parameter& each : parameters(endpoint)) {
      if (!each.component.empty()) components[camel_case(each.component)] = parameter_json(each);
    }
  }
  return components;
}

json::object security_components() {
  return {
      {"session", json::object{{"type", "http"},
                               {"scheme", "bearer"},
                               {"bearerFormat", "JWT"},
                               {"description", "Access token of POST /auth/login."}}},
      {"api_key", json::object{{"type", "http"},
                               {"scheme", "bearer"},
                               {"bearerFormat", "mp_api_"},
                               {"description", "API key of POST /auth/api-keys."}}},
      {"cluster_key", security_scheme("X-Cluster-API-Key", "Key of a cluster, for its proxies.")},
      {"cluster_key_short", security_scheme("X-API-Key", "The same under a shorter name.")}};
}

}  // namespace mp::api
