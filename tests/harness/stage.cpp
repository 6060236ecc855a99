#include "stage.hpp"

#include "access/keys.hpp"
#include "judge.hpp"
#include "settings/command.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <future>

namespace mp::test {

namespace json = boost::json;

namespace {

constexpr std::chrono::seconds longest_wait{30};
constexpr std::chrono::minutes session_use{50};  // of the hour that an access token lasts
constexpr std::string_view client = "192.0.2.1";

json::array list(const std::vector<std::int64_t>& numbers) {
  return json::array(numbers.begin(), numbers.end());
}

}  // namespace

const std::string& Stage::password() {
  static const std::string text = "Blue-Harbour-7-Lanterns";
  return text;
}

Settings Stage::settings() const {
  std::vector<std::string> flags;
  for (const auto& [name, value] : given_) {
    std::string flag = "--" + name;
    std::ranges::replace_if(flag, [](char letter) { return letter == '.' || letter == '_'; }, '-');
    flags.insert(flags.end(), {flag, value});
  }
  Settings settings = load_settings(flags, {{"HOME", database_.data_dir()}});
  settings.http.listen = "127.0.0.1:0";
  settings.http.workers = 2;
  settings.xds.listen = "127.0.0.1:0";
  settings.data_dir = database_.data_dir();
  settings.database.url = database_.url();
  settings.admin.password = Secret(password());
  settings.cluster.key = Secret(clusters_.at("default").key);
  return settings;
}

Stage::Stage(const std::string& kind, std::map<std::string, std::string> given)
    : given_(std::move(given)), database_(kind), vault_(database_.data_dir()) {
  given_.try_emplace("rate_limit.authentication", "1000001/day");
  given_.try_emplace("rate_limit.general", "1000002/day");
  given_.try_emplace("rate_limit.configuration", "1000003/day");
  clusters_["default"] = {.id = 1, .key = new_cluster_key().reveal()};
  manager_ = std::make_unique<Manager>(settings(), clock_, license_server_);
  vault_.open("");  // with the manager's key
  users_["admin"] = {.id = 1};
  log_ = std::make_unique<Connection>(parse_database_url(database_.url(), database_.data_dir()),
                                      vault_, Access::Read);
}

void Stage::restart() {
  manager_.reset();
  manager_ = std::make_unique<Manager>(settings(), clock_, license_server_);
}

http::Response Stage::ask(http::Request request, const As& caller) {
  if (caller.kind == As::Kind::User)
    request.headers.emplace_back("Authorization", "Bearer " + token(caller.name));
  if (caller.kind == As::Kind::Token)
    request.headers.emplace_back("Authorization", "Bearer " + caller.name);
  if (caller.kind == As::Kind::Cluster)
    request.headers.emplace_back("X-Cluster-API-Key", cluster_key(caller.name));
  if (request.header("Host").empty()) request.headers.emplace_back("Host", "manager.example:8000");
  if (request.peer.empty()) request.peer = client;
  const auto answered = std::make_shared<std::promise<http::Response>>();
  auto future = answered->get_future();
  manager_->handler().handle(
      request, [answered](http::Response response) { answered->set_value(std::move(response)); });
  if (future.wait_for(longest_wait) != std::future_status::ready) {
    throw std::runtime_error(request.method + " " + request.target + ": no answer");
  }
  http::Response response = future.get();
  for (const std::string& problem : the_judge().problems(request, response)) {
    ADD_FAILURE() << request.method << " " << request.target << " " << request.body.substr(0, 300)
                  << "\n=> " << response.status << " " << response.body.substr(0, 1000) << "\n"
                  << problem;
  }
  return response;
}

http::Response Stage::ask(const std::string& method, const std::string& target, const As& caller,
                          const std::string& body) {
  http::Request request{
      .method = method, .target = target, .headers = {}, .body = body, .peer = ""};
  if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  return ask(std::move(request), caller);
}

std::int64_t Stage::add_user(const Account& account) {
  const auto known = users_.find(account.name);
  if (known != users_.end()) return known->second.id;
  const json::object body{{"username", account.name},
                          {"email", account.name + "@example.com"},
                          {"password", password()},
                          {"is_admin", account.is_admin},
                          {"clusters", list(account.clusters)}};
  const auto made = ask("POST", "/api/v1/users", {As::Kind::User, "admin"}, json::serialize(body));
  if (made.status != 201) throw std::runtime_error("the user was not made: " + made.body);
  users_[account.name] = {.id = json::parse(made.body).at("data").at("id").as_int64()};
  return users_[account.name].id;
}

std::int64_t Stage::add_cluster(const std::string& name) {
  const auto known = clusters_.find(name);
  if (known != clusters_.end()) return known->second.id;
  const std::string key = new_cluster_key().reveal();
  Connection connection(parse_database_url(database_.url(), database_.data_dir()), vault_,
                        Access::Write);
  Cluster cluster{.name = name,
                  .description = "Made by a test",
                  .syslog_endpoint = "log.example:514",
                  .api_key = mask_key(key),
                  .key_hash = sha256_hex(key)};
  connection.begin();
  connection.load_numbers();
  const Actor actor{.user_id = 1, .name = "admin", .address = "", .request_id = ""};
  Writer(connection, actor, clock_.now()).insert(cluster);
  connection.save_numbers();
  connection.commit();
  clusters_[name] = {.id = cluster.id, .key = key};
  return cluster.id;
}

void Stage::license(const SoldLicense& sold) {
  const std::string key = license_server_.sell(sold);
  const auto answer = ask("POST", "/api/v1/license/validate", {As::Kind::User, "admin"},
                          json::serialize(json::object{{"license_key", key}}));
  if (answer.status != 200 || !json::parse(answer.body).at("data").at("valid").as_bool())
    throw std::runtime_error("the license was not taken: " + answer.body);
}

const std::string& Stage::token(const std::string& user) {
  KnownUser& known = users_.at(user);
  if (!known.token.empty() && clock_.now() < known.signed_in + session_use) return known.token;
  const json::object body{{"username", user}, {"password", password()}};
  const auto answer = ask("POST", "/api/v1/auth/login", {}, json::serialize(body));
  if (answer.status != 200) throw std::runtime_error(user + " could not sign in: " + answer.body);
  known.token = json::parse(answer.body).at("data").at("access_token").as_string();
  known.signed_in = clock_.now();
  return known.token;
}

std::vector<ChangeEntry> Stage::changes_after(std::int64_t revision) {
  log_->begin();
  auto entries = Reader(*log_).changes_after(revision, 1000);
  log_->commit();
  return entries;
}

std::int64_t Stage::revision() {
  std::int64_t newest = 0;
  read([&](Reader& db) { newest = db.revision(); });
  return newest;
}

void Stage::read(const std::function<void(Reader&)>& work) {
  log_->begin();
  Reader db(*log_);
  work(db);
  log_->commit();
}

}  // namespace mp::test
