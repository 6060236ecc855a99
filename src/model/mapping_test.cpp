#include "model/mapping.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json.hpp>

namespace mp {
namespace {

std::vector<std::string> issues(std::string_view more) {
  json::object body{{"source_services", {"any"}},
                    {"dest_services", {"web"}},
                    {"cluster_id", 1},
                    {"protocols", {"http"}},
                    {"ports", json::array{80}}};
  const json::value changes = json::parse(more);
  for (const auto& member : changes.as_object()) body[member.key()] = member.value();
  Mapping mapping;
  Violations violations;
  read_new(describe<Mapping>, &mapping, body, "", violations);
  std::vector<std::string> list;
  for (const auto& each : violations) list.push_back(each.field + ": " + each.issue);
  return list;
}

TEST(Mapping, BreachesHavePathsAndSentences) {
  const std::vector<std::pair<std::string, std::string>> table{
      {R"({"ports": [80, "80-81"]})", "ports[1]: Port 80 is listed twice"},
      {R"({"ports": ["1-65"]})", "ports[0]: A mapping has at most 64 ports in all"},
      {R"({"ports": ["1-64", 70]})", "ports[1]: A mapping has at most 64 ports in all"},
      {R"({"ports": [0]})", "ports[0]: Must be between 1 and 65535"},
      {R"({"ports": ["0-5"]})", "ports[0]: Must be a port, or a range such as \"8000-8010\""},
      {R"({"ports": []})", "ports: Must not be empty"},
      {R"({"protocols": ["http", "http"]})", "protocols[1]: Is listed twice"},
      {R"({"protocols": ["ftp"]})",
       "protocols[0]: Must be one of tcp, udp, icmp, http, https, ws, wss"},
      {R"({"dest_services": ["any"]})", "dest_services[0]: any can only be a source"},
      {R"({"dest_services": ["web", "web"]})", "dest_services[1]: Is listed twice"},
      {R"({"source_services": ["a b"]})",
       "source_services[0]: Must be a service's name, collection:<name> or any"},
      {R"({"hosts": ["a", "A"]})", "hosts[1]: Is listed twice"},
      {R"({"hosts": ["a:80"]})", "hosts[0]: Must be a host name, *.domain or *"},
      {R"({"protocols": ["tcp"], "hosts": ["a"]})",
       "hosts: Needs one of the protocols http, https, ws, wss"},
      {R"({"protocols": ["udp"], "path_prefix": "/a"})",
       "path_prefix: Needs one of the protocols http, https, ws, wss"},
  };
  for (const auto& [body, issue] : table)
    EXPECT_THAT(issues(body), testing::ElementsAre(issue)) << body;
}

TEST(Mapping, SidesAndPortsComeBackAsWritten) {
  constexpr std::string_view lists =
      R"({"source_services":["web","collection:all"],"dest_services":["db"],"ports":[80,"8000-8002"]})";
  EXPECT_THAT(issues(lists), testing::IsEmpty());
  Mapping mapping;
  Violations violations;
  read_change(describe<Mapping>, &mapping, json::parse(lists), violations);
  ASSERT_TRUE(violations.empty());
  const json::object answer = to_json(describe<Mapping>, &mapping);
  const json::value sent = json::parse(lists);
  for (const auto& member : sent.as_object()) EXPECT_EQ(answer.at(member.key()), member.value());
  EXPECT_THAT(all_ports(mapping), testing::ElementsAre(80, 8000, 8001, 8002));
}

TEST(Mapping, AnUnchangedSideKeepsItsIdentifiers) {
  Mapping mapping;
  mapping.source_services = {{.kind = ServiceRef::Kind::Service, .service_id = 9, .name = "web"}};
  Violations violations;
  read_change(describe<Mapping>, &mapping, json::parse(R"({"source_services": ["web"]})"),
              violations);
  EXPECT_EQ(mapping.source_services.at(0).service_id, 9);
}

}  // namespace
}  // namespace mp
