// Derived from the list of endpoints: who is let in, what every declared field refuses, which ids
// are none. A new endpoint is covered by being declared; one that World has no example for fails
// the first test.
#include "field_breaches.hpp"
#include "form.hpp"
#include "world.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace mp::test {
namespace {

namespace json = boost::json;

// The same requests without a licence and with one that opens everything.
struct Golden {
  Edition edition;
  std::string file;
  std::string title;
};
const std::array goldens{
    Golden{Edition::Community, "tests/golden/access.txt", "Without a licence."},
    Golden{Edition::Enterprise, "tests/golden/access-licensed.txt",
           "With a licence that opens every feature."}};

std::string name_of(const api::Endpoint& endpoint) {
  return endpoint.method + " " + (endpoint.at_root ? "^" : "") + endpoint.path;
}

// Requests of an endpoint that are right in everything but what the test is about.
http::Response ask(World& world, const api::Endpoint& endpoint, const As& as,
                   const json::object& body, const std::string& path) {
  const std::string target = path + world.query(endpoint);
  if (takes_form(endpoint)) {
    return world.stage().ask({.method = endpoint.method,
                              .target = target,
                              .headers = {{"Content-Type", form_type}},
                              .body = form_body(form_parts(endpoint, body)),
                              .peer = ""},
                             as);
  }
  const std::string text = endpoint.body ? json::serialize(body) : "";
  return world.stage().ask(endpoint.method, target, as, text);
}

// The fields that a 400 names; empty when the answer is none.
std::vector<std::string> named(const http::Response& response) {
  std::vector<std::string> fields;
  if (response.status != 400) return fields;
  const json::value body = json::parse(response.body);
  for (const auto& each : body.at("error").at("violations").as_array()) {
    fields.emplace_back(each.at("field").as_string());
  }
  return fields;
}

bool is_below(const std::string& field, const std::string& wanted) {
  return field == wanted || field.starts_with(wanted + ".") || field.starts_with(wanted + "[") ||
         wanted.starts_with(field + ".") || wanted.starts_with(field + "[");
}

// A key that is replaced twice is no longer good for anything.
void take_new_key(World& world, const api::Endpoint& endpoint, const http::Response& response) {
  if (endpoint.declaration.id != "rotate_cluster_key" || response.status != 200) return;
  const json::value body = json::parse(response.body);
  world.stage().take_cluster_key("default",
                                 std::string(body.at("data").at("new_api_key").as_string()));
}

TEST(EveryEndpoint, is_covered) {
  World world("sqlite", Edition::Enterprise);
  std::vector<std::string> uncovered;
  for (const auto& endpoint : api::all_endpoints().all()) {
    if (!world.path(endpoint)) uncovered.push_back(name_of(endpoint));
  }
  EXPECT_EQ(uncovered, std::vector<std::string>{});
}

std::string matrix(World& world, const std::string& title) {
  std::ostringstream text;
  text << "# The status that each caller gets for a request that is right in itself. Written by "
          "harness_test\n"
       << "# with UPDATE_GOLDEN=1. " << title << "\n#";
  for (const Role& role : world.roles()) text << " | " << role.name;
  text << "\n\n";
  std::string noun;
  for (const auto& endpoint : api::all_endpoints().all()) {
    const std::string now =
        endpoint.at_root ? "^" : endpoint.path.substr(0, endpoint.path.find('/', 1));
    if (now != noun && !noun.empty()) text << "\n";
    noun = now;
    std::string line = name_of(endpoint);
    line.resize(std::max<std::size_t>(line.size() + 1, 40), ' ');
    text << line;
    for (const Role& role : world.roles()) {
      const auto path = world.path(endpoint);
      world.prepare(endpoint, role.as);
      const auto response =
          path ? ask(world, endpoint, role.as, world.body(endpoint), *path) : http::Response{};
      text << " " << response.status;
      take_new_key(world, endpoint, response);
      world.settle(endpoint, role.as);
    }
    text << "\n";
  }
  return text.str();
}

TEST(EveryEndpoint, lets_in_whom_the_golden_matrix_names) {
  for (const Golden& golden : goldens) {
    SCOPED_TRACE(golden.file);
    World world("sqlite", golden.edition);
    const std::string now = matrix(world, golden.title);
    if (std::getenv("UPDATE_GOLDEN")) std::ofstream(golden.file) << now;
    std::ifstream file(golden.file);
    std::ostringstream text;
    text << file.rdbuf();
    EXPECT_EQ(now, text.str()) << "UPDATE_GOLDEN=1 accepts the difference";
  }
}

TEST(EveryEndpoint, names_a_feature_that_licences_have) {
  for (const auto& endpoint : api::all_endpoints().all()) {
    const auto feature = endpoint.declaration.feature;
    if (feature.empty()) continue;
    EXPECT_TRUE(find_field(describe<LicenseFeatures>, feature)) << name_of(endpoint);
  }
}

// 403 is the answer before 402, and 402 before anything that is wrong with the request.
TEST(EveryEndpoint, asks_the_licence_before_it_reads_the_request) {
  World world("sqlite", Edition::Community);
  for (const auto& endpoint : api::all_endpoints().all()) {
    if (endpoint.declaration.feature.empty()) continue;
    SCOPED_TRACE(name_of(endpoint));
    http::Request request{.method = endpoint.method,
                          .target = world.path_with(endpoint, "1") + "?page=0",
                          .headers = {{"Content-Type", "text/html"}},
                          .body = "{",
                          .peer = ""};
    const bool admins = endpoint.declaration.needs == Needs::Admin;
    const As olga{As::Kind::User, "olga"};
    EXPECT_EQ(world.stage().ask(request, olga).status, admins ? 403 : 402);
    const auto response = world.stage().ask(request, world.allowed(endpoint));
    EXPECT_EQ(response.status, 402);
    const json::value body = json::parse(response.body);
    EXPECT_EQ(body.at("error").at("details").at("feature"),
              json::value(endpoint.declaration.feature));
  }
}

TEST(EveryEndpoint, refuses_callers_without_the_right_credential) {
  World world("sqlite", Edition::Enterprise);
  for (const auto& endpoint : api::all_endpoints().all()) {
    if (endpoint.declaration.needs == Needs::Nothing) continue;
    SCOPED_TRACE(name_of(endpoint));
    const std::string path = world.path_with(endpoint, "1");
    const bool proxies = endpoint.declaration.needs == Needs::ClusterKey;
    const As other = proxies ? As{As::Kind::User, "admin"} : As{As::Kind::Cluster, "default"};
    for (const As& as : {As{}, other, As{As::Kind::Token, "garbage"},
                         As{As::Kind::Token, world.stage().cluster_key("default")}}) {
      EXPECT_EQ(ask(world, endpoint, as, {}, path).status, 401);
    }
  }
}

const char* limit_of(Rate rate) {
  switch (rate) {
    case Rate::Authentication: return "1000001";
    case Rate::General: return "1000002";
    case Rate::Configuration: return "1000003";
    case Rate::Unlimited: break;
  }
  return "";
}

TEST(EveryEndpoint, tells_the_rate_limit_of_its_category) {
  World world("sqlite", Edition::Enterprise);
  for (const auto& endpoint : api::all_endpoints().all()) {
    SCOPED_TRACE(name_of(endpoint));
    const auto path = world.path(endpoint);
    ASSERT_TRUE(path);
    const As& as = world.allowed(endpoint);
    const auto response = ask(world, endpoint, as, world.body(endpoint), *path);
    EXPECT_EQ(http::find_header(response.headers, "X-RateLimit-Limit"),
              limit_of(endpoint.declaration.rate));
    world.settle(endpoint, as);
  }
}

void check_breaches(World& world, const api::Endpoint& endpoint) {
  const bool lenient = endpoint.declaration.needs == Needs::ClusterKey;
  const auto path = world.path(endpoint);
  ASSERT_TRUE(path);
  const As& as = world.allowed(endpoint);
  for (const Breach& breach : breaches(body_schema(endpoint), world.body(endpoint))) {
    if (lenient && breach.kind == "unknown") continue;
    if (takes_form(endpoint) && breach.kind == "null") continue;  // there is no such part
    if (endpoint.method == "PATCH" && breach.kind == "null")
      continue;  // resets the field (RFC 7396)
    const auto revision = world.stage().revision();
    const auto response = ask(world, endpoint, as, breach.body, *path);
    EXPECT_EQ(response.status, 400) << breach.field << " " << breach.kind << "\n" << response.body;
    const auto fields = named(response);
    EXPECT_FALSE(fields.empty()) << breach.field << " " << breach.kind;
    for (const std::string& field : fields) {
      EXPECT_TRUE(is_below(field, breach.field))
          << field << " instead of " << breach.field << " " << breach.kind;
    }
    EXPECT_EQ(world.stage().revision(), revision) << breach.field << " " << breach.kind;
  }
}

TEST(EveryEndpoint, names_the_field_that_is_wrong_and_writes_nothing) {
  World world("sqlite", Edition::Enterprise);
  for (const auto& endpoint : api::all_endpoints().all()) {
    if (!endpoint.body) continue;
    SCOPED_TRACE(name_of(endpoint));
    check_breaches(world, endpoint);
  }
}

std::vector<std::string> bad_texts(const json::object& schema) {
  std::vector<std::string> bad;
  if (schema.contains("enum")) bad.emplace_back("no-such-value");
  if (schema.at("type").as_string() == "integer")
    bad.insert(bad.end(), {"x", "", "1.5", "99999999999999999999"});
  if (const auto* least = schema.if_contains("minimum"))
    bad.push_back(std::to_string(least->to_number<std::int64_t>() - 1));
  if (const auto* most = schema.if_contains("maximum"))
    bad.push_back(std::to_string(most->to_number<std::int64_t>() + 1));
  if (const auto* most = schema.if_contains("maxLength"))
    bad.emplace_back(most->to_number<std::size_t>() + 1, 'a');
  return bad;
}

// "?a=1&b=2" without one of them.
std::string without(const std::string& query, const std::string& name) {
  std::string rest;
  std::string_view left = query.empty() ? std::string_view() : std::string_view(query).substr(1);
  while (!left.empty()) {
    const std::string_view part = left.substr(0, left.find('&'));
    left.remove_prefix(std::min(left.size(), part.size() + 1));
    if (!part.starts_with(name + "=")) rest.append(rest.empty() ? "?" : "&").append(part);
  }
  return rest;
}

TEST(EveryEndpoint, names_the_query_parameter_that_is_wrong) {
  World world("sqlite", Edition::Enterprise);
  for (const auto& endpoint : api::all_endpoints().all()) {
    if (endpoint.at_root || endpoint.method != "GET") continue;
    SCOPED_TRACE(name_of(endpoint));
    const std::string path = *world.path(endpoint);
    const std::string query = world.query(endpoint);
    const auto check = [&](const std::string& name, const std::string& value) {
      const std::string target = path + without(query, name);
      const std::string sign = target.find('?') == std::string::npos ? "?" : "&";
      const auto response =
          world.stage().ask("GET", target + sign + name + "=" + value, world.allowed(endpoint));
      EXPECT_EQ(named(response), std::vector<std::string>{name}) << value;
    };
    check("no_such_parameter", "1");
    for (const auto& parameter : endpoint.parameters) {
      if (parameter.in != "query") continue;
      for (const std::string& text : bad_texts(parameter.schema))
        check(std::string(parameter.name), text);
    }
  }
}

TEST(EveryEndpoint, finds_nothing_under_a_malformed_id) {
  World world("sqlite", Edition::Enterprise);
  for (const auto& endpoint : api::all_endpoints().all()) {
    if (endpoint.path.find('{') == std::string::npos) continue;
    SCOPED_TRACE(name_of(endpoint));
    for (const char* id :
         {"abc", "0", "-1", "1.0", "1e3", "99999999999999999999", "%20", "%00", "%zz", "1%2F2",
          "%F0%9F%92%A9", "'", "..", "2147483648", "9223372036854775807"}) {
      EXPECT_EQ(ask(world, endpoint, world.allowed(endpoint), world.body(endpoint),
                    world.path_with(endpoint, id))
                    .status,
                404)
          << id;
    }
  }
}

}  // namespace
}  // namespace mp::test
