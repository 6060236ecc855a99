#include "model/service.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json.hpp>

namespace mp {
namespace {

Service some_service() {
  return {.id = 1, .name = "web", .ip_fqdn = "10.0.0.1", .collection = "all", .cluster_id = 1};
}

std::vector<std::string> issues(const Service& service) {
  Violations violations;
  check_service(&service, violations);
  std::vector<std::string> list;
  for (const auto& each : violations) list.push_back(each.field + ": " + each.issue);
  return list;
}

TEST(Service, SettingsFitTheType) {
  Service service = some_service();
  service.auth_config = {.jwt_expiry = 600, .header = "X-Key"};
  EXPECT_THAT(issues(service),
              testing::ElementsAre("auth_config.jwt_expiry: Is only for auth_type jwt",
                                   "auth_config.header: Is only for auth_type api_key"));
  service.auth_type = AuthType::Jwt;
  EXPECT_THAT(issues(service),
              testing::ElementsAre("auth_config.header: Is only for auth_type api_key"));
  service.auth_config.header.reset();
  EXPECT_THAT(issues(service), testing::IsEmpty());
}

TEST(Service, ProbesEndBeforeTheNext) {
  Service service = some_service();
  service.health_check = HealthCheck{.interval = 2, .timeout = 2};
  EXPECT_THAT(issues(service), testing::IsEmpty());
  service.health_check->timeout = 3;
  EXPECT_THAT(issues(service),
              testing::ElementsAre("health_check.timeout: Must not be longer than the interval"));
}

TEST(Service, IsNotCalledAny) {
  Service service = some_service();
  service.name = "any";
  EXPECT_THAT(issues(service),
              testing::ElementsAre("name: Is the word that mappings use for anybody"));
}

Violations put(Service& service, std::string_view body) {
  Violations violations;
  read_change(describe<Service>, &service, json::parse(body), violations);
  return violations;
}

TEST(Service, ANewTypeDropsTheSettingsOfTheOneBefore) {
  Service service = some_service();
  service.auth_type = AuthType::Jwt;
  service.auth_config.jwt_expiry = 600;
  json::object whole = to_json(describe<Service>, &service);
  whole["auth_type"] = "api_key";
  Service copy = service;
  EXPECT_TRUE(put(copy, json::serialize(whole)).empty());
  EXPECT_TRUE(put(service, R"({"auth_type": "api_key"})").empty());
  EXPECT_EQ(copy.auth_config.jwt_expiry, std::nullopt);
  EXPECT_EQ(service.auth_config.jwt_expiry, std::nullopt);
}

TEST(Service, SettingsThatAreSentMustFitTheNewType) {
  Service service = some_service();
  const Violations violations =
      put(service, R"({"auth_type": "api_key", "auth_config": {"jwt_expiry": 600}})");
  ASSERT_EQ(violations.size(), 1u);
  EXPECT_EQ(violations[0].field, "auth_config.jwt_expiry");
}

}  // namespace
}  // namespace mp
