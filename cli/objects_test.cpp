#include "cli/objects.hpp"

#include "model/cluster.hpp"
#include "model/mapping.hpp"
#include "model/service.hpp"
#include "model/user.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

namespace mp::cli {
namespace {

namespace json = boost::json;

json::object parsed(const std::string& text) { return json::parse(text).as_object(); }

json::object service(const std::string& more = "") {
  Violations violations;
  auto whole = created(describe<Service>,
                       parsed(R"({"name": "web", "ip_fqdn": "10.0.0.1", "collection": "shop",
                                  "cluster_id": 3)" +
                              more + "}"),
                       violations);
  EXPECT_TRUE(violations.empty());
  return whole;
}

json::value cluster_name(const json::value& id) { return json::value("c" + json::serialize(id)); }

TEST(Objects, AllBreachesOfABodyAreTold) {
  Violations violations;
  created(describe<Service>, parsed(R"({"name": "a b", "port": 0, "colour": "red"})"), violations);
  std::vector<std::string> fields;
  for (const auto& each : violations) fields.push_back(each.field);
  EXPECT_EQ(fields, (std::vector<std::string>{"colour", "name", "ip_fqdn", "collection",
                                              "cluster_id", "port"}));
}

TEST(Objects, ChangeLeavesUnnamedFieldsAndReplacesNestedOnes) {
  const auto before = service(R"(, "port": 80, "tls": {"enabled": true, "server_name": "a.b"})");
  Violations violations;
  const auto after =
      changed(describe<Service>, before, parsed(R"({"tls": {"verify": false}})"), violations);
  EXPECT_TRUE(violations.empty());
  EXPECT_EQ(after.at("port"), 80);
  const auto fields = difference_of(describe<Service>, before, after);
  EXPECT_EQ(json::serialize(fields),
            R"({"tls":{"enabled":false,"verify":false,"server_name":"","ca_pem":""}})");
}

TEST(Objects, SameFieldsAreNoDifference) {
  const auto before = service(R"(, "port": 80)");
  Violations violations;
  const auto after = changed(describe<Service>, before,
                             parsed(R"({"port": 80, "name": "web", "endpoints": []})"), violations);
  EXPECT_TRUE(difference_of(describe<Service>, before, after).empty());
}

TEST(Objects, FixedFieldsCannotChange) {
  Violations violations;
  changed(describe<Service>, service(), parsed(R"({"cluster_id": 4})"), violations);
  ASSERT_EQ(violations.size(), 1U);
  EXPECT_EQ(violations.front().field, "cluster_id");
}

TEST(Objects, FileFormNamesTheClusterAndLeavesOutWhatTheServerSets) {
  const auto form =
      file_form(resource_of(describe<Service>), service(R"(, "health_check": {})"), cluster_name);
  EXPECT_EQ(json::serialize(form),
            R"({"kind":"service","cluster":"c3","name":"web","ip_fqdn":"10.0.0.1",)"
            R"("collection":"shop","auth_type":"none","auth_config":{},"tls":{},)"
            R"("health_check":{},"endpoints":[],"port":null,"protocol":"http1"})");
}

TEST(Objects, FileFormOfAUserHasNoPasswordAndNamesClusters) {
  Violations violations;
  const auto user = created(describe<User>, parsed(R"({"username": "jdoe", "email": "j@d.example",
                                       "password": "correct-horse-7", "clusters": [3, 4]})"),
                            violations);
  const auto form = file_form(resource_of(describe<User>), user, cluster_name);
  EXPECT_FALSE(form.contains("password"));
  EXPECT_EQ(json::serialize(form.at("clusters")), R"(["c3","c4"])");
}

// What export writes, apply makes again.
TEST(Objects, FileFormMakesTheSameObject) {
  const auto before = service(
      R"(, "auth_type": "jwt", "auth_config": {"jwt_expiry": 600}, "port": 80,
          "tls": {"enabled": true, "verify": false}, "health_check": {"interval": 20},
          "endpoints": [{"address": "10.0.0.2", "weight": 3}, {"address": "10.0.0.3", "port": 81}])");
  auto form = file_form(resource_of(describe<Service>), before, cluster_name);
  form.erase("kind");
  form.erase("cluster");
  form["cluster_id"] = 3;
  Violations violations;
  EXPECT_EQ(created(describe<Service>, form, violations), before);
  EXPECT_TRUE(violations.empty());
}

TEST(Objects, WhatTheServerSetsIsDroppedFromAnAnswer) {
  const auto body = without_server_fields(
      describe<Mapping>, parsed(R"({"id": 4, "status": {"state": "live"}, "comments": "x",
                                    "created_at": "2025-12-12T10:30:00Z", "colour": "red"})"));
  EXPECT_EQ(json::serialize(body), R"({"comments":"x","colour":"red"})");
}

}  // namespace
}  // namespace mp::cli
