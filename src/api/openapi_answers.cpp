#include "api/openapi_answers.hpp"

#include "api/openapi.hpp"
#include "api/openapi_examples.hpp"
#include "api/openapi_headers.hpp"
#include "base/utf8.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <map>

namespace mp::api {
namespace {

namespace json = boost::json;

constexpr int header_too_large = 431;  // the HTTP server's own; its code is PAYLOAD_TOO_LARGE

Place place_of(const Endpoint& endpoint) {
  if (endpoint.at_root) return Place::Root;
  return is_limited(endpoint) ? Place::Limited : Place::Unlimited;
}

json::object json_content(json::object schema, json::object example) {
  return {{"application/json",
           json::object{{"schema", std::move(schema)}, {"example", std::move(example)}}}};
}

json::object schema_of_document(std::string_view type) {
  if (type == "application/json" || type == "application/yaml") return {{"type", "object"}};
  if (type.starts_with("image/png")) return {{"type", "string"}, {"format", "binary"}};
  return {{"type", "string"}};
}

// What files of these types begin with, where the declaration shows nothing of its own.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> beginnings{
    {{"text/html", "<!doctype html>"},
     {"text/javascript", "\"use strict\";"},
     {"text/css", "body {"},
     {"image/png", "\xc2\x89PNG"},
     {"image/svg+xml", "<svg xmlns=\"http://www.w3.org/2000/svg\">"}}};

json::value example_of_document(const Declaration& declaration, std::string_view type) {
  const std::string_view shown = declaration.example;
  if (shown.empty()) {
    const auto* beginning =
        std::ranges::find(beginnings, type, &std::pair<std::string_view, std::string_view>::first);
    return beginning == beginnings.end() ? json::value() : json::value(beginning->second);
  }
  const bool is_tree = type == "application/json" || type == "application/yaml";
  return is_tree ? json::parse(shown) : json::value(shown);
}

// Of "application/yaml, application/json": a document each.
json::object document_content(const Endpoint& endpoint) {
  std::string_view types = endpoint.content_type;
  json::object content;
  while (!types.empty()) {
    const std::string_view type = types.substr(0, types.find(", "));
    types.remove_prefix(std::min(types.size(), type.size() + 2));
    content[type] = {{"schema", schema_of_document(type)},
                     {"example", example_of_document(endpoint.declaration, type)}};
  }
  return content;
}

std::string_view good_news(const Endpoint& endpoint) {
  if (endpoint.status == 201) return "Made.";
  return endpoint.data == Data::Nothing && endpoint.content_type.empty() ? "Done."
                                                                         : "As asked for.";
}

json::object good_headers(const Endpoint& endpoint) {
  json::object headers = common_headers(place_of(endpoint));
  if (endpoint.content_type.empty()) add_header(headers, "Cache-Control");
  if (endpoint.has_etag) add_header(headers, "ETag");
  if (!endpoint.location.empty()) add_header(headers, "Location");
  if (endpoint.data == Data::Page) add_header(headers, "Link");
  for (const auto name : endpoint.declaration.headers)
    add_header(headers, name == "Cache-Control" ? "Cache-Control-Asset" : name);
  if (!changes(endpoint)) return headers;
  for (const auto* name : {"X-Config-Revision", "X-Config-Status", "Preference-Applied"})
    add_header(headers, name);
  return headers;
}

json::object good_answer(const Endpoint& endpoint, Schemas& schemas) {
  json::object answer{{"description", good_news(endpoint)}, {"headers", good_headers(endpoint)}};
  const Description* document = endpoint.declaration.document;
  if (document)
    answer["content"] =
        json_content(schemas.document(*document), example_of(*document, SchemaOf::Answer));
  else if (!endpoint.content_type.empty())
    answer["content"] = document_content(endpoint);
  else
    answer["content"] = json_content(schemas.answer(endpoint), example_answer(endpoint));
  return answer;
}

// From the object that was made to every operation that takes its id.
json::object links_of(const Endpoint& endpoint, const std::vector<Endpoint>& endpoints) {
  json::object links;
  if (endpoint.status != 201 || endpoint.data != Data::Object) return links;
  const std::string wanted = std::string(endpoint.data_of->name) + "_id";
  for (const Endpoint& other : endpoints) {
    if (std::ranges::find(other.parameters, wanted, &Parameter::component) ==
        other.parameters.end())
      continue;
    links[other.declaration.id] = {{"operationId", other.declaration.id},
                                   {"description", other.declaration.summary},
                                   {"parameters", json::object{{"id", "$response.body#/data/id"}}}};
  }
  return links;
}

json::object not_changed(const Endpoint& endpoint) {
  json::object headers = common_headers(place_of(endpoint));
  add_header(headers, "ETag");
  add_header(headers, "Cache-Control");
  return {{"description", "Not changed since the version in If-None-Match."},
          {"headers", std::move(headers)}};
}

// Errors of a kind differ by where they come from, in the headers alone.
std::string component_of(std::string_view code, Place place) {
  const std::string name = camel_case(ascii_lower(code));
  if (place == Place::Limited) return name;
  return name + (place == Place::Root ? "AtRoot" : "Unlimited");
}

json::object error_answer(const CodeFacts& code, Place place) {
  json::object headers = common_headers(place);
  add_header(headers, "Cache-Control");
  if (code.code == Code::Authentication) add_header(headers, "WWW-Authenticate");
  if (code.code == Code::Unavailable || code.code == Code::RateLimit)
    add_header(headers, "Retry-After");
  if (code.code == Code::Conflict) add_header(headers, "Retry-After-Running");
  return {{"description", code.meaning},
          {"headers", std::move(headers)},
          {"content", json_content(error_reference(code.code), example_error(code))}};
}

json::object header_answer() {
  json::object answer = error_answer(facts(Code::PayloadTooLarge), Place::Root);
  answer["description"] = "The header of the request is larger than 16 KiB.";
  answer["headers"].as_object().erase("Cache-Control");
  return answer;
}

json::object to_component(const std::string& name) {
  return {{"$ref", "#/components/responses/" + name}};
}

}  // namespace

json::object answers_of(const Endpoint& endpoint, const std::vector<Endpoint>& endpoints,
                        Schemas& schemas) {
  std::map<int, json::object> by_status;
  by_status[endpoint.status] = good_answer(endpoint, schemas);
  if (json::object links = links_of(endpoint, endpoints); !links.empty())
    by_status[endpoint.status]["links"] = std::move(links);
  if (endpoint.method == "GET" && endpoint.has_etag) by_status[304] = not_changed(endpoint);
  for (const Code code : errors_of(endpoint)) {
    by_status.try_emplace(facts(code).http_status,
                          to_component(component_of(facts(code).name, place_of(endpoint))));
  }
  by_status[header_too_large] = to_component("HeaderTooLarge");
  if (endpoint.declaration.document && by_status.contains(503)) {
    json::object unhealthy = good_answer(endpoint, schemas);
    unhealthy["description"] = "Unhealthy, or too busy to say.";
    for (const auto* component : {"Retry-After-Busy", "Cache-Control-Busy"})
      add_header(unhealthy.at("headers").as_object(), component);
    json::array either{schemas.document(*endpoint.declaration.document),
                       error_reference(Code::Unavailable)};
    unhealthy["content"] =
        json_content({{"oneOf", std::move(either)}}, example_error(facts(Code::Unavailable)));
    by_status[503] = std::move(unhealthy);
  }
  json::object list;
  for (auto& [status, answer] : by_status) list[std::to_string(status)] = std::move(answer);
  return list;
}

json::object error_components() {
  json::object components;
  for (const CodeFacts& code : all_codes()) {
    if (code.code == Code::MethodNotAllowed) continue;  // what is declared is allowed
    for (const Place place : {Place::Limited, Place::Unlimited, Place::Root})
      components[component_of(code.name, place)] = error_answer(code, place);
  }
  components["HeaderTooLarge"] = header_answer();
  return components;
}

}  // namespace mp::api
