// Random sets of changes: what POST /plan says of them is what becomes of them when they are made,
// one request after the other; and planning itself leaves no trace. A seed repeats a run:
// MARCHPROXY_TEST_SEED.
#include "stage.hpp"
#include "xds/build.hpp"
#include "xds/difference.hpp"
#include "xds/load.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <cstdlib>
#include <random>
#include <set>

namespace mp::test {
namespace {

namespace json = boost::json;

constexpr int rounds = 60;
const As admin{As::Kind::User, "admin"};

// "added Cluster service/1/80", "appeared mapping 3: …": what is different for proxies of a type.
using Lines = std::set<std::string>;

std::string last_part(std::string_view url) { return std::string(url.substr(url.rfind('.') + 1)); }

class PlanProperty : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const char* given = std::getenv("MARCHPROXY_TEST_SEED");
    seed_ = given ? std::stoull(given) : 20261125;
    random_.seed(seed_);
    stage_.token("admin");  // signing in is an entry of the log
  }

  std::size_t below(std::size_t count) {
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_);
  }
  bool once_in(std::size_t count) { return below(count) == 0; }
  std::string name() { return "s" + std::to_string(below(6)); }
  json::value side(bool source) {
    if (source && once_in(2)) return json::array{"any"};
    if (once_in(4)) return json::array{"collection:c" + std::to_string(below(2))};
    return json::array{name()};
  }
  // Mostly of one that is there or that the plan itself makes.
  std::int64_t id() { return static_cast<std::int64_t>(1 + below(10)); }

  json::object service() {
    static const std::array<const char*, 3> types{"none", "jwt", "api_key"};
    json::object body{{"ip_fqdn", "10.0.0." + std::to_string(1 + below(5))},
                      {"collection", "c" + std::to_string(below(2))}};
    if (once_in(2)) body["auth_type"] = types[below(types.size())];
    return body;
  }

  json::object mapping() {
    static const std::array<const char*, 5> protocols{"http", "ws", "https", "tcp", "udp"};
    json::object body{{"source_services", side(true)},
                      {"dest_services", side(false)},
                      {"protocols", json::array{protocols[below(protocols.size())]}},
                      {"ports", json::array{80 + static_cast<int>(below(3))}}};
    if (once_in(2)) body["auth_required"] = true;
    if (once_in(3)) body["priority"] = static_cast<int>(below(3));
    if (once_in(3)) body["enabled"] = once_in(2);
    return body;
  }

  json::object change() {
    static const std::array<const char*, 3> actions{"update", "patch", "delete"};
    const bool of_service = once_in(2);
    const bool makes = once_in(2);
    const char* action = makes ? "create" : actions[below(actions.size())];
    json::object change{{"action", action}, {"type", of_service ? "service" : "mapping"}};
    if (!makes) change["id"] = id();
    if (std::string_view(action) == "delete") return change;
    json::object data = of_service ? service() : mapping();
    if (makes) data["cluster_id"] = 1;
    if (makes && of_service) data["name"] = name();
    change["data"] = std::move(data);
    return change;
  }

  http::Response make(const json::object& change) {
    const std::string action(change.at("action").as_string());
    std::string path = "/api/v1/" + std::string(change.at("type").as_string()) + "s";
    if (const auto* id = change.if_contains("id")) path += "/" + json::serialize(*id);
    const auto* data = change.if_contains("data");
    const std::string method = action == "create"   ? "POST"
                               : action == "update" ? "PUT"
                               : action == "patch"  ? "PATCH"
                                                    : "DELETE";
    return stage_.ask(method, path, admin, data ? json::serialize(*data) : "");
  }

  xds::ClusterConfigPtr config() {
    xds::ClusterConfigPtr config;
    stage_.read([&](Reader& db) { config = xds::load_config(db, 1); });
    return config;
  }

  Lines lines_between(const xds::ClusterConfig& before, const xds::ClusterConfig& after,
                      xds::ProxyType type) {
    const Time now = stage_.clock().now();
    const auto old = xds::Builder({.type = type}).build(before, now);
    const auto next = xds::Builder({.type = type}).build(after, now);
    Lines lines;
    const xds::Difference difference = xds::difference(*old, *next);
    for (std::size_t at = 0; at < xds::type_count; ++at) {
      const std::string of = last_part(xds::type_url(static_cast<xds::Type>(at)));
      for (const xds::Change& each : difference[at]) {
        const char* what = !each.before ? "added " : !each.after ? "removed " : "changed ";
        lines.insert(what + of + " " + each.name());
      }
    }
    const auto add = [&](const std::string& what, const auto& some, const auto& others) {
      for (const xds::Finding& finding : some) {
        if (std::ranges::find(others, finding) == others.end())
          lines.insert(what + finding.object.name + ": " + finding.message);
      }
    };
    add("appeared ", *next->findings, *old->findings);
    add("disappeared ", *old->findings, *next->findings);
    return lines;
  }

  static Lines lines_of(const json::value& plan, std::string_view type) {
    Lines lines;
    for (const auto& audience : plan.at("audiences").as_array()) {
      if (audience.at("proxy_type").as_string() != type) continue;
      EXPECT_TRUE(audience.at("breaches").as_array().empty());
      for (const auto& each : audience.at("types").as_array()) {
        for (const char* what : {"added", "changed", "removed"}) {
          for (const auto& resource : each.at(what).as_array())
            lines.insert(std::string(what) + " " + last_part(each.at("type_url").as_string()) +
                         " " + std::string(resource.at("name").as_string()));
        }
      }
      for (const char* what : {"appeared", "disappeared"}) {
        for (const auto& finding : audience.at(what).as_array())
          lines.insert(std::string(what) + " " +
                       std::string(finding.at("object").at("name").as_string()) + ": " +
                       std::string(finding.at("message").as_string()));
      }
    }
    return lines;
  }

  // The code that each change is refused with; the same in the plan and when it is made.
  static std::map<std::int64_t, std::string> refusals_of(const json::value& plan) {
    std::map<std::int64_t, std::string> refusals;
    for (const auto& problem : plan.at("problems").as_array())
      refusals[problem.at("change").as_int64()] = std::string(problem.at("code").as_string());
    return refusals;
  }

  void play_round() {
    json::array changes;
    for (std::size_t count = 1 + below(5); count > 0; --count) changes.push_back(change());
    const auto revision = stage_.revision();
    const auto answer = stage_.ask("POST", "/api/v1/plan", admin,
                                   json::serialize(json::object{{"changes", changes}}));
    ASSERT_EQ(answer.status, 200) << answer.body;
    ASSERT_EQ(stage_.revision(), revision) << "a plan writes nothing";
    const json::value plan = json::parse(answer.body).at("data");
    const auto before = config();
    std::map<std::int64_t, std::string> refused;
    for (std::size_t at = 0; at < changes.size(); ++at) {
      const auto made = make(changes[at].as_object());
      if (made.status >= 300) {
        refused[static_cast<std::int64_t>(at)] =
            std::string(json::parse(made.body).at("error").at("code").as_string());
      }
    }
    EXPECT_EQ(refusals_of(plan), refused) << json::serialize(changes);
    const auto after = config();
    EXPECT_EQ(lines_of(plan, "egress"), lines_between(*before, *after, xds::ProxyType::Egress))
        << json::serialize(changes);
    EXPECT_EQ(lines_of(plan, "ingress"), lines_between(*before, *after, xds::ProxyType::Ingress))
        << json::serialize(changes);
    accepted_ += changes.size() - refused.size();
  }

  Stage stage_{GetParam()};
  std::uint64_t seed_ = 0;
  std::mt19937_64 random_;
  std::size_t accepted_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Both, PlanProperty, testing::Values("sqlite", "postgresql"));

TEST_P(PlanProperty, what_is_predicted_is_what_becomes) {
  SCOPED_TRACE("MARCHPROXY_TEST_SEED=" + std::to_string(seed_));
  for (int round = 0; round < rounds && !HasFailure(); ++round) play_round();
  EXPECT_GT(accepted_, static_cast<std::size_t>(rounds / 2)) << "most rounds must change something";
}

}  // namespace
}  // namespace mp::test
