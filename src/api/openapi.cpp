#include "api/openapi.hpp"

#include "api/answer.hpp"
#include "api/api.hpp"
#include "api/yaml.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <map>

namespace mp::api {
namespace {

namespace json = boost::json;

json::object text(std::string_view help) { return {{"type", "string"}, {"description", help}}; }

json::object header(std::string_view help, json::object schema = {{"type", "string"}}) {
  return {{"description", help}, {"schema", std::move(schema)}};
}

json::object common_headers() {
  return {{"X-API-Version", header("Version of the API.")},
          {"X-Request-ID", header("The request's id, as in the body.")}};
}

bool is_limited(const Endpoint& endpoint) { return endpoint.declaration.rate != Rate::Unlimited; }

void add_limits(const Endpoint& endpoint, json::object& headers) {
  if (!is_limited(endpoint)) return;
  const json::object number{{"type", "integer"}};
  headers["X-RateLimit-Limit"] = header("Requests that the window has room for.", number);
  headers["X-RateLimit-Remaining"] = header("How many of them are left.", number);
  headers["X-RateLimit-Reset"] = header("When the window closes, in Unix seconds.", number);
}

json::object json_content(json::object schema) {
  return {{"application/json", json::object{{"schema", std::move(schema)}}}};
}

// Of "application/yaml, application/json": a document each.
json::object document_content(std::string_view types) {
  json::object content;
  while (!types.empty()) {
    const std::string_view type = types.substr(0, types.find(", "));
    types.remove_prefix(std::min(types.size(), type.size() + 2));
    content[type] = {
        {"schema", json::object{{"type", type == "application/json" ? "object" : "string"}}}};
  }
  return content;
}

std::string tag_of(const Endpoint& endpoint) {
  const std::string& path = endpoint.path;
  const auto end = path.find('/', 1);
  return path.substr(1, end == std::string::npos ? end : end - 1);
}

bool writes(const Endpoint& endpoint) { return endpoint.method != "GET"; }

json::object success_response(const Endpoint& endpoint) {
  json::object response{{"description", endpoint.status == 201 ? "Created." : "Done."}};
  json::object headers = common_headers();
  if (endpoint.has_etag) headers["ETag"] = header("Version of the object.");
  if (writes(endpoint) && endpoint.declaration.needs != Needs::Nothing) {
    headers["X-Config-Revision"] =
        header("Number of the change, where it made one.", {{"type", "integer"}});
    headers["X-Config-Status"] = header("With Prefer: wait: live, pending, rejected or idle.");
  }
  add_limits(endpoint, headers);
  response["headers"] = std::move(headers);
  if (!endpoint.content_type.empty()) {
    response["content"] = document_content(endpoint.content_type);
    return response;
  }
  json::object data = endpoint.data_schema ? endpoint.data_schema()
                                           : json::object{{"nullable", true}, {"type", "object"}};
  response["content"] = json_content(envelope_schema(std::move(data)));
  return response;
}

json::object error_response(const Endpoint& endpoint, Code code) {
  json::object headers = common_headers();
  add_limits(endpoint, headers);
  if (code == Code::Authentication) headers["WWW-Authenticate"] = header("How to prove who calls.");
  if (code == Code::Unavailable || code == Code::RateLimit) {
    headers["Retry-After"] = header("Seconds to wait.", {{"type", "integer"}});
  }
  return {{"description", facts(code).meaning},
          {"headers", std::move(headers)},
          {"content", json_content({{"$ref", "#/components/schemas/error"}})}};
}

json::object responses(const Endpoint& endpoint) {
  std::map<int, json::object> by_status;
  by_status[endpoint.status] = success_response(endpoint);
  if (endpoint.method == "GET" &&
      (endpoint.has_etag || endpoint.declaration.id == "get_configuration")) {
    json::object headers = common_headers();
    add_limits(endpoint, headers);
    by_status[304] = {{"description", "Not changed since the version in If-None-Match."},
                      {"headers", std::move(headers)}};
  }
  if (endpoint.declaration.id == "healthz") {
    by_status[503] = {{"description", "Unhealthy: no database."},
                      {"content", json_content({{"type", "object"}})}};
  }
  for (const Code code : errors_of(endpoint))
    by_status.try_emplace(facts(code).http_status, error_response(endpoint, code));
  json::object list;
  for (auto& [status, response] : by_status) list[std::to_string(status)] = std::move(response);
  return list;
}

json::object parameter_json(const Parameter& parameter) {
  return {{"name", parameter.name},
          {"in", parameter.in},
          {"description", parameter.help},
          {"required", parameter.required},
          {"schema", parameter.schema}};
}

json::object header_parameter(std::string_view name, std::string_view help, json::object schema) {
  return {{"name", name},
          {"in", "header"},
          {"description", help},
          {"required", false},
          {"schema", std::move(schema)}};
}

json::array parameters(const Endpoint& endpoint) {
  json::array list;
  for (const Parameter& parameter : endpoint.parameters) list.push_back(parameter_json(parameter));
  const json::object plain{{"type", "string"}};
  if (endpoint.conditional || endpoint.method == "DELETE") {
    list.push_back(
        header_parameter("If-Match", "Only when the object is still at this version.", plain));
  }
  if (endpoint.method == "GET" && endpoint.has_etag) {
    list.push_back(header_parameter("If-None-Match",
                                    "Only when the object is no longer at this version.", plain));
  }
  if (writes(endpoint) && endpoint.declaration.needs != Needs::Nothing) {
    list.push_back(header_parameter(
        "Prefer", "wait=SECONDS: answer when the proxies hold the change.", plain));
  }
  if (endpoint.method == "POST" && endpoint.declaration.needs != Needs::Nothing) {
    list.push_back(header_parameter(
        "Idempotency-Key", "The same key and body get the first answer again, for 24 hours.",
        {{"type", "string"}, {"maxLength", 255}}));
  }
  return list;
}

json::array security(Needs needs) {
  if (needs == Needs::Nothing) return {};
  const json::object scheme{{needs == Needs::ClusterKey ? "cluster_key" : "bearer", json::array{}}};
  return {scheme};
}

std::string reference(const Description& description, SchemaOf purpose) {
  std::string name(description.name);
  if (purpose == SchemaOf::Update) return name.append("_update");
  return description.plural.empty() ? name : name.append("_create");
}

json::object operation(const Endpoint& endpoint) {
  const Declaration& declaration = endpoint.declaration;
  std::string help(declaration.summary);
  if (declaration.through == Through::Session) help += " Not with an API key.";
  json::object body{{"operationId", declaration.id},      {"summary", declaration.summary},
                    {"description", std::move(help)},     {"tags", json::array{tag_of(endpoint)}},
                    {"parameters", parameters(endpoint)}, {"security", security(declaration.needs)},
                    {"responses", responses(endpoint)}};
  if (!declaration.feature.empty()) body["x-license-feature"] = declaration.feature;
  if (is_limited(endpoint)) body["x-rate-limit"] = to_string(declaration.rate);
  if (endpoint.body) {
    json::object content = json_content(
        {{"$ref", "#/components/schemas/" + reference(*endpoint.body, endpoint.body_schema)}});
    if (endpoint.method == "PATCH")
      content = {{"application/merge-patch+json", content.at("application/json")}};
    else
      content = {{endpoint.body_type, content.at("application/json")}};
    body["requestBody"] =
        json::object{{"required", !endpoint.body_is_optional}, {"content", std::move(content)}};
  }
  return body;
}

json::object components(const std::vector<Endpoint>& endpoints) {
  json::object schemas{{"error", error_schema()}};
  for (const Endpoint& endpoint : endpoints) {
    if (!endpoint.body) continue;
    const auto name = reference(*endpoint.body, endpoint.body_schema);
    if (!schemas.contains(name)) schemas[name] = schema(*endpoint.body, endpoint.body_schema);
  }
  return {
      {"schemas", std::move(schemas)},
      {"securitySchemes",
       json::object{
           {"bearer",
            json::object{{"type", "http"},
                         {"scheme", "bearer"},
                         {"description", "Access token of POST /auth/login, or an API key."}}},
           {"cluster_key", json::object{{"type", "apiKey"},
                                        {"in", "header"},
                                        {"name", "X-Cluster-API-Key"},
                                        {"description", "Key of a cluster, for its proxies."}}}}}};
}

}  // namespace

json::object envelope_schema(json::object data) {
  return {{"type", "object"},
          {"additionalProperties", false},
          {"required", json::array{"success", "data", "message", "timestamp", "request_id"}},
          {"properties",
           json::object{{"success", json::object{{"type", "boolean"}, {"enum", json::array{true}}}},
                        {"data", std::move(data)},
                        {"message", text("What was done.")},
                        {"timestamp", json::object{{"type", "string"}, {"format", "date-time"}}},
                        {"request_id", text("The request's id.")}}}};
}

json::object error_schema() {
  json::array codes;
  for (const CodeFacts& code : all_codes()) codes.emplace_back(code.name);
  const json::object violation{
      {"type", "object"},
      {"additionalProperties", false},
      {"required", json::array{"field", "issue"}},
      {"properties", json::object{{"field", text("Path of the field.")},
                                  {"issue", text("What is wrong with it.")},
                                  {"provided", json::object{{"description",
                                                             "What was sent; never a secret."}}}}}};
  const json::object error{
      {"type", "object"},
      {"additionalProperties", false},
      {"required", json::array{"code", "message", "details"}},
      {"properties",
       json::object{{"code", json::object{{"type", "string"}, {"enum", std::move(codes)}}},
                    {"message", text("For people.")},
                    {"details",
                     json::object{{"type", "object"},
                                  {"description", "The first violation, or what the code needs."}}},
                    {"violations", json::object{{"type", "array"}, {"items", violation}}}}}};
  return {
      {"type", "object"},
      {"additionalProperties", false},
      {"required", json::array{"success", "error", "timestamp", "request_id"}},
      {"properties",
       json::object{{"success", json::object{{"type", "boolean"}, {"enum", json::array{false}}}},
                    {"error", error},
                    {"timestamp", json::object{{"type", "string"}, {"format", "date-time"}}},
                    {"request_id", text("The request's id.")}}}};
}

std::vector<Code> errors_of(const Endpoint& endpoint) {
  std::vector<Code> codes = endpoint.declaration.errors;
  if (is_limited(endpoint)) codes.push_back(Code::RateLimit);
  if (endpoint.at_root) return codes;
  const auto& declaration = endpoint.declaration;
  codes.insert(codes.end(), {Code::Internal, Code::Unavailable});
  if (declaration.needs != Needs::Nothing) codes.push_back(Code::Authentication);
  const bool users = declaration.needs == Needs::User || declaration.needs == Needs::Admin;
  if (users) codes.push_back(Code::Permission);  // at least of API keys
  if (!declaration.feature.empty()) codes.push_back(Code::Feature);
  if (endpoint.path.find('{') != std::string::npos) codes.push_back(Code::NotFound);
  codes.push_back(Code::Validation);
  if (endpoint.body) codes.insert(codes.end(), {Code::PayloadTooLarge, Code::UnsupportedMediaType});
  if (endpoint.conditional || endpoint.method == "DELETE")
    codes.push_back(Code::PreconditionFailed);
  if (endpoint.method == "POST" && declaration.needs != Needs::Nothing)
    codes.push_back(Code::Conflict);
  std::ranges::sort(codes);
  const auto repeated = std::ranges::unique(codes);
  codes.erase(repeated.begin(), repeated.end());
  return codes;
}

json::object openapi(const std::vector<Endpoint>& endpoints) {
  json::object paths;
  json::array tags;
  for (const Endpoint& endpoint : endpoints) {
    const std::string path = endpoint.at_root ? endpoint.path : "/api/v1" + endpoint.path;
    std::string method = endpoint.method;
    std::ranges::transform(method, method.begin(),
                           [](unsigned char letter) { return std::tolower(letter); });
    if (!paths.contains(path)) paths[path] = json::object();
    paths[path].as_object()[method] = operation(endpoint);
    const json::object tag{{"name", tag_of(endpoint)},
                           {"description", "Endpoints of " + tag_of(endpoint) + "."}};
    if (std::ranges::find(tags, json::value(tag)) == tags.end()) tags.push_back(tag);
  }
  return {{"openapi", "3.0.3"},
          {"info", json::object{{"title", "MarchProxy Manager"},
                                {"version", api_version},
                                {"description", "Management API of a fleet of Envoy proxies."},
                                {"contact", json::object{{"name", "MarchProxy"},
                                                         {"email", "support@marchproxy.io"}}},
                                {"license", json::object{{"name", "Proprietary"}}}}},
          {"servers", json::array{json::object{{"url", "/"}, {"description", "This manager."}}}},
          {"tags", std::move(tags)},
          {"paths", std::move(paths)},
          {"components", components(endpoints)}};
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
