#include "api/openapi.hpp"

#include "api/answer.hpp"
#include "api/api.hpp"
#include "api/openapi_answers.hpp"
#include "api/openapi_headers.hpp"
#include "api/openapi_inputs.hpp"
#include "api/yaml.hpp"
#include "base/utf8.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace mp::api {
namespace {

namespace json = boost::json;

constexpr std::string_view introduction =
    R"(Management API of a fleet of Envoy proxies.

**Versions.** `/api/v1` is the version of this document, and `/api` the same without a number. `/api/v0` is an older name
of it and deprecated: its answers carry `Deprecation`, `Sunset` and `Link` with `rel="successor-version"`.

**Answers** are `{success, data, message, timestamp, request_id}`, errors `{success, error, timestamp, request_id}`. A 400
lists every breach in `error.violations`; the first one is in `error.details` too. Times are RFC 3339 in UTC.

**Every path** answers HEAD like GET without the body, another method with 405 and `Allow`, and what is not there, or what
the caller may not see, with 404. Several refusals apply in this order: 404 for the path, 405, 413, 401, 429, 403 or 404 for
the object, 402, 415, 400.

**X-Request-ID** of a request is kept when it is 1 to 64 letters, digits, `.`, `_` or `-`; the log names it.

**Bodies** are JSON of at most 1 MiB and 64 levels, without a key twice in one object. A missing Content-Type is taken as
JSON. Unknown fields are refused, except in what proxies send.)";

std::string method_key(const Endpoint& endpoint) { return ascii_lower(endpoint.method); }

std::string description_of(const Endpoint& endpoint) {
  const Declaration& declaration = endpoint.declaration;
  std::string text(declaration.summary);
  if (declaration.needs == Needs::Admin) text += " For administrators.";
  if (declaration.needs == Needs::ClusterKey) text += " For proxies, with their cluster's key.";
  if (declaration.needs == Needs::Nothing) text += " Needs no credential.";
  if (declaration.through == Through::Session) text += " Not with an API key.";
  if (!declaration.feature.empty())
    text.append(" Needs the licence feature ").append(declaration.feature).append(".");
  if (endpoint.data == Data::Page) text += " A page at a time.";
  return text;
}

json::object operation(const Endpoint& endpoint, const std::vector<Endpoint>& endpoints,
                       Schemas& schemas) {
  const Declaration& declaration = endpoint.declaration;
  json::object body{{"operationId", declaration.id},
                    {"summary", declaration.summary},
                    {"description", description_of(endpoint)},
                    {"tags", json::array{endpoint.group.name}},
                    {"parameters", parameters_of(endpoint)}};
  if (json::value taken = body_of(endpoint, schemas); !taken.is_null())
    body["requestBody"] = std::move(taken);
  body["security"] = security_of(endpoint);
  body["responses"] = answers_of(endpoint, endpoints, schemas);
  if (!declaration.feature.empty()) body["x-license-feature"] = declaration.feature;
  if (is_limited(endpoint)) body["x-rate-limit"] = to_string(declaration.rate);
  return body;
}

void collect_references(const json::value& node, std::vector<std::string>& found) {
  if (const auto* list = node.if_array()) {
    for (const auto& item : *list) collect_references(item, found);
  }
  const auto* object = node.if_object();
  if (!object) return;
  for (const auto& member : *object) {
    if (member.key() == "$ref" && member.value().is_string())
      found.emplace_back(member.value().as_string());
    else
      collect_references(member.value(), found);
  }
}

// Takes out what nothing refers to, until nothing is left of that kind.
void drop_unused(json::object& document) {
  for (bool again = true; again;) {
    again = false;
    std::vector<std::string> used;
    collect_references(document, used);
    std::ranges::sort(used);
    for (auto& kind : document.at("components").as_object()) {
      if (kind.key() == "securitySchemes") continue;
      std::vector<std::string> unused;
      for (const auto& each : kind.value().as_object()) {
        const std::string reference =
            "#/components/" + std::string(kind.key()) + "/" + std::string(each.key());
        if (!std::ranges::binary_search(used, reference)) unused.emplace_back(each.key());
      }
      for (const auto& name : unused) kind.value().as_object().erase(name);
      again |= !unused.empty();
    }
  }
}

json::object info() {
  return {{"title", "MarchProxy Manager"},
          {"version", api_version},
          {"description", introduction},
          {"contact", json::object{{"name", "MarchProxy"},
                                   {"url", "https://github.com/marchproxy/marchproxy/issues"},
                                   {"email", "support@marchproxy.io"}}},
          {"license", json::object{{"name", "Proprietary"},
                                   {"url", "https://github.com/marchproxy/marchproxy"}}}};
}

json::array tags_of(const std::vector<Endpoint>& endpoints) {
  json::array tags;
  for (const Endpoint& endpoint : endpoints) {
    const json::value tag{{"name", endpoint.group.name}, {"description", endpoint.group.help}};
    if (std::ranges::find(tags, tag) == tags.end()) tags.push_back(tag);
  }
  std::ranges::sort(tags, {}, [](const json::value& tag) { return tag.at("name").as_string(); });
  return tags;
}

}  // namespace

bool changes(const Endpoint& endpoint) {
  return endpoint.method != "GET" && endpoint.declaration.needs != Needs::Nothing &&
         endpoint.declaration.effect == Effect::Change;
}

bool is_limited(const Endpoint& endpoint) { return endpoint.declaration.rate != Rate::Unlimited; }

bool conditional(const Endpoint& endpoint) {
  const bool deletes = endpoint.method == "DELETE" && changes(endpoint) && endpoint.object;
  return endpoint.conditional || (deletes && find_field(*endpoint.object, "revision"));
}

std::vector<Code> errors_of(const Endpoint& endpoint) {
  std::vector<Code> codes = endpoint.declaration.errors;
  const auto& declaration = endpoint.declaration;
  codes.insert(codes.end(),
               {Code::Validation, Code::PayloadTooLarge, Code::Internal, Code::Unavailable});
  if (declaration.needs != Needs::Nothing) codes.push_back(Code::Authentication);
  if (is_limited(endpoint)) codes.push_back(Code::RateLimit);
  const bool users = declaration.needs == Needs::User || declaration.needs == Needs::Admin;
  if (users) codes.push_back(Code::Permission);  // at least of API keys
  if (!declaration.feature.empty()) codes.push_back(Code::Feature);
  if (endpoint.path.find('{') != std::string::npos) codes.push_back(Code::NotFound);
  if (endpoint.body) codes.push_back(Code::UnsupportedMediaType);
  if (conditional(endpoint)) codes.push_back(Code::PreconditionFailed);
  if (endpoint.method == "POST" && changes(endpoint)) codes.push_back(Code::Conflict);
  std::ranges::sort(codes);
  const auto repeated = std::ranges::unique(codes);
  codes.erase(repeated.begin(), repeated.end());
  return codes;
}

json::object openapi(const std::vector<Endpoint>& endpoints) {
  json::object paths;
  Schemas schemas;
  for (const Endpoint& endpoint : endpoints) {
    const std::string path = endpoint.at_root ? endpoint.path : "/api/v1" + endpoint.path;
    if (!paths.contains(path)) paths[path] = json::object();
    paths[path].as_object()[method_key(endpoint)] = operation(endpoint, endpoints, schemas);
  }
  json::object document{
      {"openapi", "3.0.3"},
      {"info", info()},
      {"servers", json::array{json::object{{"url", "/"}, {"description", "This manager."}}}},
      {"tags", tags_of(endpoints)},
      {"paths", std::move(paths)},
      {"components", json::object{{"schemas", schemas.all()},
                                  {"responses", error_components()},
                                  {"parameters", parameter_components(endpoints)},
                                  {"headers", header_components()},
                                  {"securitySchemes", security_components()}}}};
  drop_unused(document);
  return document;
}

const std::string& openapi_json() {
  static const std::string document = json::serialize(openapi(all_endpoints().all()));
  return document;
}

const std::string& openapi_yaml() {
  static const std::string document = yaml_text(openapi(all_endpoints().all()));
  return document;
}

}  // namespace mp::api
