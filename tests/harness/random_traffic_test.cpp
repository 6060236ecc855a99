// Random requests of several callers against the product and against the reference model, on each
// database, across restarts: every answer and every list must be the model's. A seed repeats a run:
// MARCHPROXY_TEST_SEED.
#include "reference_model.hpp"
#include "stage.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <cstdlib>
#include <random>

namespace mp::test {
namespace {

namespace json = boost::json;

constexpr int requests = 1200;
constexpr int between_lists = 40;
constexpr int between_restarts = 300;

json::array texts(const std::vector<std::string>& list) {
  return json::array(list.begin(), list.end());
}

template <class T>
void put(json::object& body, std::string_view name, const std::optional<T>& value) {
  if (value) body[name] = *value;
}

class RandomTraffic : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const char* given = std::getenv("MARCHPROXY_TEST_SEED");
    seed_ = given ? std::stoull(given) : 20261125;
    random_.seed(seed_);
    north_ = stage_.add_cluster("north");
    model_.clusters = {1, north_};
    stage_.add_user({.name = "olga", .clusters = {north_}});
    stage_.add_user({.name = "nina", .clusters = {1, north_}});
    stage_.add_user({.name = "idle"});
    users_ = {{"admin", {.is_admin = true}},
              {"olga", {.clusters = {north_}}},
              {"nina", {.clusters = {1, north_}}},
              {"idle", {}}};
  }

  // ---- chance ----

  std::size_t below(std::size_t count) {
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_);
  }
  bool once_in(std::size_t count) { return below(count) == 0; }
  template <class List>
  auto pick(const List& list) {
    return *std::next(std::begin(list), static_cast<std::ptrdiff_t>(below(std::size(list))));
  }
  std::string service_name() { return pick(names_); }
  std::string collection() { return "Team-" + std::to_string(below(4)); }
  std::string address() { return "10.0.0." + std::to_string(1 + below(9)); }
  std::int64_t cluster() { return once_in(20) ? 999 : once_in(2) ? 1 : north_; }
  std::string member(bool source) {
    if (source && once_in(4)) return "any";
    return once_in(3) ? "collection:" + collection() : service_name();
  }
  std::vector<std::string> side(bool source) {
    std::vector<std::string> names{member(source)};
    if (once_in(2)) names.push_back(member(source));
    if (names.size() == 2 && names[0] == names[1]) names.pop_back();
    return names;
  }
  // Mostly of one that is there.
  template <class Map>
  std::int64_t id_in(const Map& map) {
    if (map.empty() || once_in(15)) return static_cast<std::int64_t>(100000 + below(9));
    return pick(map).first;
  }
  template <class Map>
  std::optional<std::int64_t> match_for(const Map& map, std::int64_t id) {
    const auto found = map.find(id);
    if (found == map.end() || !once_in(3)) return std::nullopt;
    return once_in(2) ? found->second.revision : found->second.revision + 1;
  }
  std::int64_t now() { return to_milliseconds(stage_.clock().now()); }

  // ---- requests ----

  http::Response ask(const std::string& method, const std::string& path, const json::object& body,
                     std::optional<std::int64_t> match = {}) {
    http::Request request{.method = method,
                          .target = "/api/v1" + path,
                          .headers = {{"Content-Type", "application/json"}},
                          .body = json::serialize(body),
                          .peer = ""};
    if (match) request.headers.emplace_back("If-Match", "\"" + std::to_string(*match) + "\"");
    return stage_.ask(std::move(request), {As::Kind::User, caller_});
  }

  static json::value data(const http::Response& response) {
    return json::parse(response.body).at("data");
  }

  void expect(const http::Response& response, int status, const std::string& what) {
    ASSERT_EQ(response.status, status) << what << " by " << caller_ << "\n" << response.body;
  }

  void expect_is(const json::value& given, const ModelService& service) {
    EXPECT_EQ(given.at("name"), json::string(service.name));
    EXPECT_EQ(given.at("ip_fqdn"), json::string(service.address));
    EXPECT_EQ(given.at("collection"), json::string(service.collection));
    EXPECT_EQ(given.at("cluster_id").as_int64(), service.cluster);
    EXPECT_EQ(given.at("port"), service.port ? json::value(*service.port) : json::value());
    expect_times(given, service.created, service.updated);
  }

  void expect_is(const json::value& given, const ModelMapping& mapping) {
    EXPECT_EQ(given.at("source_services"), json::value(texts(model_.written(mapping.sources))));
    EXPECT_EQ(given.at("dest_services"), json::value(texts(model_.written(mapping.destinations))));
    EXPECT_EQ(given.at("cluster_id").as_int64(), mapping.cluster);
    EXPECT_EQ(given.at("priority").as_int64(), mapping.priority);
    EXPECT_EQ(given.at("enabled").as_bool(), mapping.enabled);
    EXPECT_EQ(given.at("comments"), json::string(mapping.comments));
    EXPECT_EQ(given.at("ports"), json::value(json::array{mapping.port}));
    expect_times(given, mapping.created, mapping.updated);
  }

  static void expect_times(const json::value& given, std::int64_t created, std::int64_t updated) {
    EXPECT_EQ(given.at("created_at").as_string(), to_string(from_milliseconds(created)));
    EXPECT_EQ(given.at("updated_at").as_string(), to_string(from_milliseconds(updated)));
  }

  template <class Object>
  void expect_saved(const http::Response& response, const Object& object) {
    expect_is(data(response), object);
    EXPECT_EQ(http::find_header(response.headers, "ETag"),
              "\"" + std::to_string(object.revision) + "\"");
  }

  void create_service() {
    ModelService service{.cluster = cluster(),
                         .name = service_name(),
                         .address = address(),
                         .collection = collection(),
                         .created = now(),
                         .updated = now()};
    if (once_in(2)) service.port = static_cast<int>(1000 + below(5));
    json::object body{{"name", service.name},
                      {"ip_fqdn", service.address},
                      {"collection", service.collection},
                      {"cluster_id", service.cluster}};
    put(body, "port", service.port);
    const int status = model_.create(user(), service);
    const auto response = ask("POST", "/services", body);
    expect(response, status, json::serialize(body));
    if (response.status != 201) return;
    expect_saved(response, service);
    add(model_.services, newest_service_, data(response).at("id").as_int64(), service);
  }

  void create_mapping() {
    ModelMapping mapping{.cluster = cluster(),
                         .sources = {},
                         .destinations = {},
                         .port = static_cast<int>(8000 + below(3)),
                         .comments = "for " + service_name(),
                         .created = now(),
                         .updated = now()};
    const MappingChange sides{.sources = side(true), .destinations = side(false)};
    const json::object body{{"source_services", texts(*sides.sources)},
                            {"dest_services", texts(*sides.destinations)},
                            {"cluster_id", mapping.cluster},
                            {"protocols", {"http"}},
                            {"ports", {mapping.port}},
                            {"comments", mapping.comments}};
    const int status = model_.create(user(), mapping, sides);
    const auto response = ask("POST", "/mappings", body);
    expect(response, status, json::serialize(body));
    if (response.status != 201) return;
    expect_saved(response, mapping);
    add(model_.mappings, newest_mapping_, data(response).at("id").as_int64(), mapping);
  }

  template <class Map, class Object>
  void add(Map& map, std::int64_t& newest, std::int64_t id, const Object& object) {
    EXPECT_FALSE(map.contains(id));
    EXPECT_GT(id, newest) << "ids never come back";
    newest = id;
    map.emplace(id, object);
  }

  void change_service() {
    const std::int64_t id = id_in(model_.services);
    ServiceChange change;
    if (once_in(2)) change.name = service_name();
    if (once_in(2)) change.address = address();
    if (once_in(3)) change.collection = collection();
    if (once_in(3)) change.port = static_cast<int>(1000 + below(5));
    json::object body;
    put(body, "name", change.name);
    put(body, "ip_fqdn", change.address);
    put(body, "collection", change.collection);
    put(body, "port", change.port);
    const auto match = match_for(model_.services, id);
    const int status = model_.change(user(), id, change, match, now());
    finish_change("/services/", model_.services, id, body, match, status);
  }

  void change_mapping() {
    const std::int64_t id = id_in(model_.mappings);
    MappingChange change;
    if (once_in(3)) change.sources = side(true);
    if (once_in(3)) change.destinations = side(false);
    if (once_in(2)) change.priority = static_cast<int>(below(3)) * 50;
    if (once_in(3)) change.enabled = once_in(2);
    if (once_in(3)) change.comments = "about " + service_name();
    json::object body;
    if (change.sources) body["source_services"] = texts(*change.sources);
    if (change.destinations) body["dest_services"] = texts(*change.destinations);
    put(body, "priority", change.priority);
    put(body, "enabled", change.enabled);
    put(body, "comments", change.comments);
    const auto match = match_for(model_.mappings, id);
    const int status = model_.change(user(), id, change, match, now());
    finish_change("/mappings/", model_.mappings, id, body, match, status);
  }

  template <class Map>
  void finish_change(const std::string& path, const Map& map, std::int64_t id,
                     const json::object& body, std::optional<std::int64_t> match, int status) {
    const auto response = ask(once_in(2) ? "PUT" : "PATCH", path + std::to_string(id), body, match);
    expect(response, status, path + std::to_string(id) + " " + json::serialize(body));
    if (response.status == 200) expect_saved(response, map.at(id));
  }

  void remove_service() {
    const std::int64_t id = id_in(model_.services);
    const auto response = ask("DELETE", "/services/" + std::to_string(id), {});
    expect(response, model_.remove_service(user(), id, now()), "DELETE service");
  }

  void remove_mapping() {
    const std::int64_t id = id_in(model_.mappings);
    const auto response = ask("DELETE", "/mappings/" + std::to_string(id), {});
    expect(response, model_.remove_mapping(user(), id), "DELETE mapping");
  }

  void read_one() {
    const std::int64_t id = id_in(model_.services);
    const auto found = model_.services.find(id);
    const bool seen = found != model_.services.end() && user().sees(found->second.cluster);
    const auto response = ask("GET", "/services/" + std::to_string(id), {});
    expect(response, seen ? 200 : 404, "GET service");
    if (seen) expect_saved(response, found->second);
  }

  // ---- lists ----

  ModelQuery query(bool of_services) {
    ModelQuery query;
    if (once_in(3)) query.cluster = once_in(2) ? 1 : north_;
    if (of_services && once_in(3)) query.collection = collection();
    if (!of_services && once_in(3)) query.source = service_name();
    if (once_in(3))
      query.search = pick(std::vector<std::string>{"A", "b", "0.7", "svc-", "%", "_"});
    query.sort =
        pick(of_services ? std::vector<std::string>{"id", "-id", "name", "-name", "-created_at"}
                         : std::vector<std::string>{"id", "-id", "created_at", "-updated_at"});
    return query;
  }

  static std::string text_of(const ModelQuery& query) {
    std::string text = "?sort=" + query.sort;
    if (query.cluster) text += "&cluster_id=" + std::to_string(*query.cluster);
    if (!query.collection.empty()) text += "&collection=" + query.collection;
    if (!query.source.empty()) text += "&source_service=" + query.source;
    if (!query.search.empty()) text += "&search=" + (query.search == "%" ? "%25" : query.search);
    return text;
  }

  // Walks through all pages; every object must be the model's, in the model's order.
  template <class Map>
  void read_list(const std::string& plural, const Map& map, const std::string& query,
                 const std::vector<std::int64_t>& expected) {
    const std::size_t limit = 1 + below(20);
    std::vector<std::int64_t> given;
    for (std::size_t page = 1; page == 1 || given.size() < expected.size(); ++page) {
      const auto response = ask("GET",
                                "/" + plural + query + "&limit=" + std::to_string(limit) +
                                    "&page=" + std::to_string(page),
                                {});
      ASSERT_EQ(response.status, 200) << response.body;
      const auto list = data(response);
      ASSERT_EQ(list.at("total").as_int64(), static_cast<std::int64_t>(expected.size())) << query;
      const auto& items = list.at(plural).as_array();
      ASSERT_EQ(items.size(), std::min(limit, expected.size() - given.size())) << query;
      for (const auto& item : items) {
        given.push_back(item.at("id").as_int64());
        ASSERT_TRUE(map.contains(given.back()));
        expect_is(item, map.at(given.back()));
      }
    }
    EXPECT_EQ(given, expected) << plural << query;
  }

  void read_lists() {
    const std::string asking = caller_;
    for (const auto& [name, who] : users_) {
      caller_ = name;
      const ModelQuery services = query(true);
      read_list("services", model_.services, text_of(services),
                model_.list_services(who, services));
      const ModelQuery mappings = query(false);
      read_list("mappings", model_.mappings, text_of(mappings),
                model_.list_mappings(who, mappings));
    }
    caller_ = asking;
  }

  void step() {
    stage_.clock().advance(Milliseconds(1 + below(1500)));
    caller_ = pick(std::vector<std::string>{"admin", "admin", "nina", "nina", "olga", "idle"});
    const std::size_t chance = below(100);
    if (chance < 22) return create_service();
    if (chance < 42) return create_mapping();
    if (chance < 58) return change_service();
    if (chance < 76) return change_mapping();
    if (chance < 79) return remove_service();
    if (chance < 83) return remove_mapping();
    read_one();
  }

  const ModelUser& user() { return users_.at(caller_); }

  const std::vector<std::string> names_{"svc-Alpha", "svc-beta", "svc_gamma", "delta", "Echo",
                                        "svc-Ball",  "fox",      "golf",      "any-1", "hotel"};
  std::uint64_t seed_ = 0;
  std::mt19937_64 random_;
  Stage stage_{GetParam()};
  std::int64_t north_ = 0;
  std::map<std::string, ModelUser> users_;
  std::string caller_;
  ReferenceModel model_;
  std::int64_t newest_service_ = 0;
  std::int64_t newest_mapping_ = 0;
};

TEST_P(RandomTraffic, is_answered_as_the_model_answers) {
  for (int at = 1; at <= requests; ++at) {
    SCOPED_TRACE("seed " + std::to_string(seed_) + ", request " + std::to_string(at));
    step();
    if (at % between_lists == 0) read_lists();
    if (at % between_restarts == 0) stage_.restart();
    if (HasFailure()) FAIL() << "the first difference ends the run";
  }
  EXPECT_GT(model_.services.size(), 5U);
  EXPECT_GT(model_.mappings.size(), 5U);
}

INSTANTIATE_TEST_SUITE_P(Api, RandomTraffic, testing::Values("sqlite", "postgresql"),
                         [](const auto& parameter) { return parameter.param; });

}  // namespace
}  // namespace mp::test
