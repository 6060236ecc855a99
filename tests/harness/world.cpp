#include "world.hpp"

#include "access/totp.hpp"
#include "form.hpp"
#include "judge.hpp"

#include <boost/json.hpp>

namespace mp::test {

namespace json = boost::json;

namespace {

const As admin{As::Kind::User, "admin"};
const As cluster_key{As::Kind::Cluster, "default"};

std::string first_segment(const api::Endpoint& endpoint) {
  return endpoint.path.substr(1, endpoint.path.find('/', 1) - 1);
}

// Names that must not be there yet.
bool is_unique(const std::string& name) { return name == "name" || name == "username"; }

}  // namespace

json::object body_schema(const api::Endpoint& endpoint) {
  return schema(*endpoint.body, endpoint.body_schema);
}

World::World(const std::string& kind, Edition edition) : stage_(kind) {
  if (edition == Edition::Enterprise)
    stage_.license({.expires_at = stage_.clock().now() + std::chrono::hours(24)});
  stage_.add_user({.name = "olga", .clusters = {1}});
  stage_.add_user({.name = "ivan"});
  roles_ = {{"nobody", {}},
            {"cluster key", cluster_key},
            {"user of no cluster", {As::Kind::User, "ivan"}},
            {"user of the cluster", {As::Kind::User, "olga"}},
            {"admin", admin}};
  const As olga{As::Kind::User, "olga"};
  roles_.push_back({"user's read key", key_of(olga, {"read"})});
  roles_.push_back({"user's write key", key_of(olga, {"write"})});
  roles_.push_back({"admin's read, write key", key_of(admin, {"read", "write"})});
  roles_.push_back({"admin's admin key", key_of(admin, {"admin"})});
  roles_.push_back({"admin's full key", key_of(admin, {"read", "write", "admin"})});
  made(
      "/api/v1/services",
      {{"name", "web-backend"}, {"ip_fqdn", "10.0.0.1"}, {"collection", "web"}, {"cluster_id", 1}});
  register_proxy();
  const json::object sign_in{{"username", "admin"}, {"password", Stage::password()}};
  const auto session = stage_.ask("POST", "/api/v1/auth/login", {}, json::serialize(sign_in));
  refresh_token_ = json::parse(session.body).at("data").at("refresh_token").as_string();
}

// The same one again while it is there.
std::string World::register_proxy() {
  const json::object registration{
      {"hostname", "p1"}, {"version", "v1.0.0"}, {"capabilities", json::array()}};
  const auto answer =
      stage_.ask("POST", "/api/v1/proxy/register", cluster_key, json::serialize(registration));
  proxy_id_ = json::parse(answer.body).at("data").at("proxy_id").as_string();
  return proxy_id_;
}

const As& World::allowed(const api::Endpoint& endpoint) const {
  switch (endpoint.declaration.needs) {
    case Needs::Nothing: return roles_.front().as;
    case Needs::ClusterKey: return cluster_key;
    case Needs::User:
    case Needs::Admin: break;
  }
  return admin;
}

std::string World::made(const std::string& target, const json::object& body) {
  const auto answer = stage_.ask("POST", target, admin, json::serialize(body));
  if (answer.status != 201) throw std::runtime_error(target + " was not made: " + answer.body);
  const json::value id = json::parse(answer.body).at("data").at("id");
  return id.is_string() ? std::string(id.as_string()) : json::serialize(id);
}

As World::key_of(const As& owner, const json::array& permissions) {
  const json::object body{{"name", "world"}, {"permissions", permissions}};
  const auto answer = stage_.ask("POST", "/api/v1/auth/api-keys", owner, json::serialize(body));
  return {As::Kind::Token, std::string(json::parse(answer.body).at("data").at("key").as_string())};
}

std::string World::uploaded() {
  const auto pem = certificates_.make(
      {.name = "x", .hosts = {"shop.example"}, .until = std::chrono::hours(1000), .key = "P-256"},
      stage_.clock().now());
  const auto answer =
      stage_.ask({.method = "POST",
                  .target = "/api/v1/certificates",
                  .headers = {{"Content-Type", form_type}},
                  .body = form_body({{"name", false, "n" + std::to_string(++count_)},
                                     {"cert_file", true, pem.certificate},
                                     {"key_file", true, pem.key}}),
                  .peer = ""},
                 admin);
  if (answer.status != 201) throw std::runtime_error("no certificate was made: " + answer.body);
  return std::to_string(json::parse(answer.body).at("data").at("id").as_int64());
}

// A client certificate of a service.
json::object World::issued() {
  const auto answer = stage_.ask("POST", "/api/v1/services/1/certificate", admin);
  if (answer.status != 201) throw std::runtime_error("none was issued: " + answer.body);
  return json::parse(answer.body).at("data").as_object();
}

std::optional<std::string> World::example(const api::Endpoint& endpoint) {
  const std::string noun = first_segment(endpoint);
  const std::string fresh = "n" + std::to_string(++count_);
  if (noun == "clusters" || noun == "config" || noun == "revisions") return "1";
  if (endpoint.path.starts_with("/auth/api-keys/"))
    return made("/api/v1/auth/api-keys", {{"name", fresh}, {"permissions", json::array{"read"}}});
  if (noun == "assets") return "docs.js";
  if (endpoint.path.starts_with("/issued-certificates/")) return json::serialize(issued().at("id"));
  if (noun == "certificates") return uploaded();
  if (noun == ".well-known") return "no-such-token";
  if (noun == "proxies") return register_proxy();
  if (noun == "services") {
    const char* type = endpoint.path.ends_with("rotate-key") ? "api_key" : "jwt";
    return made("/api/v1/services", {{"name", fresh},
                                     {"ip_fqdn", "10.0.0.1"},
                                     {"collection", "c"},
                                     {"cluster_id", 1},
                                     {"auth_type", type}});
  }
  if (noun == "mappings") {
    return made("/api/v1/mappings", {{"source_services", json::array{"any"}},
                                     {"dest_services", json::array{"web-backend"}},
                                     {"cluster_id", 1},
                                     {"protocols", json::array{"http"}},
                                     {"ports", json::array{80}}});
  }
  if (noun == "users") {
    return made("/api/v1/users", {{"username", fresh + "-user"},
                                  {"email", fresh + "@example.com"},
                                  {"password", Stage::password()}});
  }
  return std::nullopt;
}

std::string World::path_with(const api::Endpoint& endpoint, const std::string& value) const {
  std::string path = (endpoint.at_root ? "" : "/api/v1") + endpoint.path;
  const auto open = path.find('{');
  if (open != std::string::npos) path.replace(open, path.find('}') - open + 1, value);
  return path;
}

std::optional<std::string> World::path(const api::Endpoint& endpoint) {
  if (endpoint.path.find('{') == std::string::npos) return path_with(endpoint, "");
  const auto value = example(endpoint);
  if (!value) return std::nullopt;
  return path_with(endpoint, *value);
}

void World::prepare(const api::Endpoint& endpoint, const As& as) {
  const std::string_view path = endpoint.path;
  if (!path.starts_with("/auth/2fa/") || as.kind != As::Kind::User) return;
  const auto ask = [&](const std::string& target, const json::object& body) {
    return stage_.ask("POST", "/api/v1/auth/2fa/" + target, as, json::serialize(body));
  };
  if (path.ends_with("enable")) return;
  const auto setup = ask("enable", {{"password", Stage::password()}});
  const Secret secret =
      parse_totp_secret(json::parse(setup.body).at("data").at("secret").as_string());
  const Time now = stage_.clock().now();
  totp_code_ = totp_code(secret, now);
  if (path.ends_with("verify")) return;
  ask("verify", {{"totp_code", totp_code_}});
  totp_code_ = totp_code(secret, now + std::chrono::seconds(30));  // each works once
}

void World::settle(const api::Endpoint& endpoint, const As& as) {
  if (as.kind != As::Kind::User) return;
  if (endpoint.path.starts_with("/auth/2fa/")) {
    const std::string user = std::to_string(stage_.add_user({.name = as.name}));
    stage_.ask("PATCH", "/api/v1/users/" + user, admin, R"({"totp_enabled": false})");
  }
  if (endpoint.method != "GET" && stage_.ask("GET", "/api/v1/auth/me", as).status == 401)
    stage_.forget_session(as.name);
}

std::string World::query(const api::Endpoint& endpoint) const {
  const std::map<std::string_view, std::string> examples{
      {"proxy_id", proxy_id_}, {"to", "web-backend"}, {"port", "80"}, {"protocol", "http"}};
  std::string query;
  for (const auto& parameter : endpoint.parameters) {
    if (parameter.in != "query" || !parameter.required) continue;
    query += (query.empty() ? "?" : "&") + std::string(parameter.name) + "=" +
             examples.at(parameter.name);
  }
  return query;
}

json::value World::example_value(const std::string& name, const json::object& schema) {
  if (name == "proxy_id") return json::value(proxy_id_);
  if (name == "totp_code") return json::value(totp_code_);
  if (name == "refresh_token") return json::value(refresh_token_);
  if (name == "current_password") return json::value(Stage::password());
  if (name == "password" || name == "new_password") return json::value(Stage::password());
  if (name == "email") return json::value("n" + std::to_string(++count_) + "@example.com");
  if (is_unique(name)) return json::value("n" + std::to_string(++count_) + "-x");
  if (const auto* example = schema.if_contains("example")) return *example;
  if (const auto* names = schema.if_contains("enum")) return names->as_array().front();
  const std::string_view type = schema.at("type").as_string();
  const auto* least = schema.if_contains("minimum");
  if (type == "integer" || type == "number") return least ? *least : json::value(1);
  if (type == "boolean") return true;
  if (type == "array") return json::array();
  if (type != "object") return json::value("x");
  json::object inner;
  const auto* required = schema.if_contains("required");
  for (const auto& each : required ? required->as_array() : json::array()) {
    const std::string inside(each.as_string());
    inner[inside] = example_value(inside, schema.at("properties").at(inside).as_object());
  }
  return inner;
}

json::object World::body(const api::Endpoint& endpoint) {
  if (!endpoint.body) return {};
  json::object body;
  const json::object schema = body_schema(endpoint);
  const auto* required = schema.if_contains("required");
  for (const auto& each : required ? required->as_array() : json::array()) {
    const std::string name(each.as_string());
    body[name] = example_value(name, schema.at("properties").at(name).as_object());
  }
  if (endpoint.declaration.id == "login") body["username"] = "admin";
  if (endpoint.declaration.id == "revoke_issued_certificate")
    body["certificate"] = issued().at("certificate");
  if (endpoint.declaration.id == "upload_certificate") {
    const auto pem = certificates_.make(
        {.name = "x", .hosts = {"a.example"}, .until = std::chrono::hours(1000), .key = "P-256"},
        stage_.clock().now());
    body["cert_file"] = pem.certificate;
    body["key_file"] = pem.key;
  }
  if (endpoint.declaration.id == "create_user") body["password"] = Stage::password();
  return body;
}

}  // namespace mp::test
