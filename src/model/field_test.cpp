#include "model/field.hpp"

#include "model/enrolment.hpp"
#include "model/sign_in.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json.hpp>

namespace mp {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr std::string_view body_of_service =
    R"({"name": "web", "ip_fqdn": "10.0.1.100", "collection": "web-services", "cluster_id": 1})";

std::vector<std::string> lines(const Violations& violations) {
  std::vector<std::string> list;
  for (const auto& each : violations) list.push_back(each.field + ": " + each.issue);
  return list;
}

template <class T>
std::vector<std::string> create(T& object, std::string_view body,
                                Unknown unknown = Unknown::Refuse) {
  Violations violations;
  read_new(describe<T>, &object, json::parse(body), "", violations, unknown);
  return lines(violations);
}

template <class T>
std::vector<std::string> refused(std::string_view body) {
  T object;
  return create(object, body);
}

template <class T>
std::vector<std::string> put(T& object, std::string_view body) {
  Violations violations;
  read_change(describe<T>, &object, json::parse(body), violations);
  return lines(violations);
}

template <class T>
std::vector<std::string> patch(T& object, std::string_view body) {
  Violations violations;
  read_patch(describe<T>, &object, json::parse(body), violations);
  return lines(violations);
}

Service stored_service() {
  Service service;
  create(service, body_of_service);
  service.id = 7;
  service.created_at = service.updated_at = *parse_time("2025-12-12T10:30:00Z");
  return service;
}

std::vector<std::string> required_of(const Description& description) {
  std::vector<std::string> names;
  for (const Field& field : description.fields) {
    if (required(description, field)) names.emplace_back(field.name);
  }
  return names;
}

TEST(Required, IsWhatHasNoValidDefault) {
  EXPECT_THAT(required_of(describe<Service>),
              ElementsAre("name", "ip_fqdn", "collection", "cluster_id"));
  EXPECT_THAT(required_of(describe<Mapping>),
              ElementsAre("source_services", "dest_services", "cluster_id", "protocols", "ports"));
  EXPECT_THAT(required_of(describe<Cluster>),
              ElementsAre("name", "description", "syslog_endpoint"));
  EXPECT_THAT(required_of(describe<User>), ElementsAre("username", "email"));
  EXPECT_THAT(required_of(describe<LoginRequest>), ElementsAre("username", "password"));
  EXPECT_THAT(required_of(describe<Registration>),
              ElementsAre("hostname", "version", "capabilities"));
  EXPECT_THAT(required_of(describe<Heartbeat>), ElementsAre("proxy_id", "status", "metrics"));
  EXPECT_THAT(
      required_of(describe<ProxyMetrics>),
      ElementsAre("active_connections", "requests_per_second", "cpu_usage", "memory_usage"));
}

TEST(Create, ReadsAWholeBodyAndKeepsDefaults) {
  Service service;
  EXPECT_THAT(
      create(service,
             R"({"name": "web", "ip_fqdn": "2001:DB8::0", "collection": "c", "cluster_id": 2.0,
      "auth_type": "jwt", "auth_config": {"jwt_expiry": 300}, "tls": {"enabled": true}, "health_check": {"interval": 5},
      "endpoints": [{"address": "10.0.0.1", "port": 80}], "port": null})"),
      IsEmpty());
  EXPECT_EQ(service.ip_fqdn, "2001:db8::");
  EXPECT_EQ(service.cluster_id, 2);
  EXPECT_EQ(service.auth_config.jwt_expiry, 300);
  EXPECT_TRUE(service.tls.enabled && service.tls.verify);
  EXPECT_EQ(service.health_check->interval, 5);
  EXPECT_EQ(service.health_check->path, "/healthz");
  EXPECT_EQ(service.endpoints.at(0).weight, 1);
  EXPECT_EQ(service.port, std::nullopt);
}

TEST(Create, TellsEveryBreachAtOnceWithItsPath) {
  EXPECT_THAT(
      refused<Service>(R"({"name": "w w", "ip_fqdn": "1.2.3", "port": 0, "id": 5, "colour": "red",
      "auth_type": "basic", "auth_config": {"jwt_expiry": 1, "api_key": "x"}, "endpoints": [{}, {"address": "a", "weight": 0}],
      "revision": 3, "status": null, "tls": []})"),
      UnorderedElementsAre(
          "colour: Is not a known field", "revision: Is not a known field",
          "id: Is set by the server", "status: Is set by the server",
          "name: Must consist of letters, digits, _ and -",
          "ip_fqdn: Must be valid IP address or FQDN", "collection: Is required",
          "cluster_id: Is required", "auth_type: Must be one of none, api_key, jwt",
          "auth_config.jwt_expiry: Must be between 300 and 86400",
          "auth_config.api_key: Is set by the server", "endpoints[0].address: Is required",
          "endpoints[1].weight: Must be between 1 and 128", "port: Must be between 1 and 65535",
          "tls: Must be a JSON object"));
  EXPECT_THAT(
      refused<Mapping>(R"({"source_services": ["any"], "dest_services": ["web"], "cluster_id": 1,
      "protocols": ["http"], "ports": [80, "81-82", "90-80"]})"),
      ElementsAre("ports[2]: Must be a port, or a range such as \"8000-8010\""));
}

TEST(Create, RefusesWhatIsNoObject) {
  for (const auto* body : {"[]", "null", "5", "\"x\""}) {
    EXPECT_THAT(refused<Service>(body), ElementsAre("body: Must be a JSON object")) << body;
    Service service = stored_service();
    EXPECT_THAT(put(service, body), ElementsAre("body: Must be a JSON object"));
    EXPECT_THAT(patch(service, body), ElementsAre("body: Must be a JSON object"));
  }
}

TEST(Create, NullDoesNotStandForARequiredField) {
  EXPECT_THAT(refused<Heartbeat>(R"({"proxy_id": "p", "status": null})"),
              ElementsAre("status: Is required", "metrics: Is required"));
  EXPECT_THAT(
      refused<Registration>(R"({"hostname": "h", "version": "v1.0.0", "capabilities": []})"),
      IsEmpty());
}

TEST(Create, IgnoresTheUnknownAtEveryDepthWhenAsked) {
  constexpr std::string_view body =
      R"({"proxy_id": "p", "status": "healthy", "new": 1, "metrics": {"active_connections": 1,
      "requests_per_second": 2, "cpu_usage": 3, "memory_usage": 4, "disk": 5}})";
  Heartbeat beat;
  EXPECT_THAT(create(beat, body, Unknown::Ignore), IsEmpty());
  EXPECT_EQ(beat.metrics->memory_usage, 4);
  EXPECT_THAT(refused<Heartbeat>(body), UnorderedElementsAre("new: Is not a known field",
                                                             "metrics.disk: Is not a known field"));
  EXPECT_THAT(create(beat, "[1]", Unknown::Ignore), ElementsAre("body: Must be a JSON object"));
}

TEST(Create, EchoesNoSecretAndNoUnknownValue) {
  User user;
  Violations violations;
  read_new(
      describe<User>, &user,
      json::parse(R"({"username": "jd", "email": "j@d.com", "password": "short", "pasword": "x"})"),
      "", violations);
  ASSERT_THAT(lines(violations), ElementsAre("pasword: Is not a known field",
                                             "username: Must have at least 3 characters",
                                             "password: Must have at least 12 characters"));
  EXPECT_EQ(violations[0].provided, std::nullopt);
  EXPECT_EQ(violations[1].provided, json::value("jd"));
  EXPECT_EQ(violations[2].provided, std::nullopt);
}

TEST(Answer, HasAllVisibleFieldsAndNoHiddenOnes) {
  Service service = stored_service();
  service.secret = Secret("hush");
  const json::object answer = to_json(describe<Service>, &service);
  EXPECT_EQ(answer.if_contains("secret"), nullptr);
  EXPECT_EQ(answer.if_contains("revision"), nullptr);
  EXPECT_TRUE(answer.at("health_check").is_null());
  EXPECT_EQ(answer.at("created_at"), "2025-12-12T10:30:00Z");
  EXPECT_EQ(answer.at("auth_config").as_object().if_contains("jwt_secret"), nullptr);
  service.auth_config.jwt_secret = Secret("new");
  EXPECT_EQ(to_json(describe<Service>, &service).at("auth_config").at("jwt_secret"), "new");
  const User user;
  EXPECT_EQ(to_json(describe<User>, &user).if_contains("password"), nullptr);
}

TEST(Change, GetEditPutWorks) {
  Service service = stored_service();
  json::object body = to_json(describe<Service>, &service);
  body["name"] = "renamed";
  body["status"] = json::object{{"state", "live"}, {"reasons", json::array{}}};
  EXPECT_THAT(put(service, json::serialize(body)), IsEmpty());
  EXPECT_EQ(service.name, "renamed");
  EXPECT_EQ(service.ip_fqdn, "10.0.1.100");
  EXPECT_THAT(patch(service, json::serialize(body)), IsEmpty());
}

TEST(Change, RefusesOtherValuesOfWhatIsNotTheClients) {
  constexpr std::string_view body =
      R"({"id": 8, "cluster_id": 2, "created_at": "2020-01-01T00:00:00Z"})";
  const auto issues =
      UnorderedElementsAre("id: Is set by the server", "cluster_id: Cannot be changed",
                           "created_at: Is set by the server");
  Service service = stored_service();
  EXPECT_THAT(put(service, body), issues);
  EXPECT_THAT(patch(service, body), issues);
  EXPECT_THAT(put(service, R"({"cluster_id": 1.0})"), IsEmpty());
  EXPECT_THAT(put(service, R"({"cluster_id": "1"})"), ElementsAre("cluster_id: Cannot be changed"));
  EXPECT_THAT(patch(service, R"({"cluster_id": null})"),
              ElementsAre("cluster_id: Cannot be changed"));
  EXPECT_THAT(put(service, R"({"secret": "x"})"), ElementsAre("secret: Is not a known field"));
}

TEST(Change, AcceptsStoredValuesThatRulesWouldRefuse) {
  Cluster cluster{.id = 1, .name = "default", .description = "", .syslog_endpoint = ""};
  EXPECT_THAT(put(cluster, json::serialize(to_json(describe<Cluster>, &cluster))), IsEmpty());
  cluster.syslog_endpoint = "syslog:514";
  EXPECT_THAT(put(cluster, R"({"syslog_endpoint": ""})"),
              ElementsAre("syslog_endpoint: Must not be empty"));
}

TEST(Change, ChecksRulesOverSeveralFieldsAfterwards) {
  Service service = stored_service();
  EXPECT_THAT(put(service, R"({"health_check": {"interval": 1, "timeout": 2}})"),
              ElementsAre("health_check.timeout: Must not be longer than the interval"));
}

TEST(Patch, NestedObjectsMergeAndNullResets) {
  Service service = stored_service();
  service.health_check = HealthCheck{.path = "/up", .interval = 30};
  service.port = 8080;
  EXPECT_THAT(
      patch(service,
            R"({"health_check": {"interval": 20, "path": null}, "port": null, "protocol": null,
      "endpoints": [{"address": "10.0.0.1"}]})"),
      IsEmpty());
  EXPECT_EQ(service.health_check->interval, 20);
  EXPECT_EQ(service.health_check->path, "/healthz");
  EXPECT_EQ(service.port, std::nullopt);
  EXPECT_THAT(patch(service, R"({"health_check": null, "endpoints": null})"), IsEmpty());
  EXPECT_EQ(service.health_check, std::nullopt);
  EXPECT_TRUE(service.endpoints.empty());
  EXPECT_THAT(patch(service, R"({"health_check": {"interval": 9}})"), IsEmpty());
  EXPECT_EQ(service.health_check->timeout, 2);
}

TEST(Patch, RefusesToRemoveWhatIsRequired) {
  Service service = stored_service();
  EXPECT_THAT(patch(service, R"({"name": null, "tls": {"nothing": 1}, "more": null})"),
              UnorderedElementsAre("name: Is required", "tls.nothing: Is not a known field",
                                   "more: Is not a known field"));
}

TEST(Patch, KeepsShownSecretsOutOfTheMerge) {
  Service service = stored_service();
  service.auth_type = AuthType::Jwt;
  service.auth_config.jwt_secret = Secret("shown in this answer");
  EXPECT_THAT(patch(service, R"({"auth_config": {"jwt_expiry": 600}})"), IsEmpty());
  EXPECT_EQ(service.auth_config.jwt_expiry, 600);
}

TEST(Text, BecomesTheJsonOfItsType) {
  EXPECT_EQ(from_text(JsonType::Integer, "12"), json::value(12));
  EXPECT_EQ(from_text(JsonType::Number, "1.5"), json::value(1.5));
  EXPECT_EQ(from_text(JsonType::Boolean, "false"), json::value(false));
  EXPECT_EQ(from_text(JsonType::String, "5"), json::value("5"));
  for (const auto* text : {"", "abc", "1 ", "+1", "0x1", "99999999999999999999"}) {
    EXPECT_EQ(from_text(JsonType::Integer, text), std::nullopt) << text;
  }
  for (const auto* text : {"", "nan", "inf", "1e999", "1,5"}) {
    EXPECT_EQ(from_text(JsonType::Number, text), std::nullopt) << text;
  }
  EXPECT_EQ(from_text(JsonType::Boolean, "1"), std::nullopt);
}

}  // namespace
}  // namespace mp
