// What all declarations have in common, and the OpenAPI schemas that come from them.
#include "model/acme.hpp"
#include "model/api_key.hpp"
#include "model/certificate.hpp"
#include "model/certificate_upload.hpp"
#include "model/cluster_status.hpp"
#include "model/enrolment.hpp"
#include "model/issued_certificate.hpp"
#include "model/issuer.hpp"
#include "model/license.hpp"
#include "model/reachability.hpp"
#include "model/rotation.hpp"
#include "model/second_factor.hpp"
#include "model/service_certificate.hpp"
#include "model/sign_in.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <algorithm>
#include <set>

namespace mp {
namespace {

std::vector<const Description*> all_descriptions() {
  return {&describe<Service>,
          &describe<AuthConfig>,
          &describe<UpstreamTls>,
          &describe<HealthCheck>,
          &describe<ServiceEndpoint>,
          &describe<Mapping>,
          &describe<Cluster>,
          &describe<ClusterLogging>,
          &describe<User>,
          &describe<Session>,
          &describe<Proxy>,
          &describe<ProxyMetrics>,
          &describe<Registration>,
          &describe<Registered>,
          &describe<Heartbeat>,
          &describe<BootstrapQuery>,
          &describe<GrpcBootstrapQuery>,
          &describe<LoginRequest>,
          &describe<LoginResponse>,
          &describe<RefreshRequest>,
          &describe<PasswordChange>,
          &describe<SecretRotation>,
          &describe<KeyRotation>,
          &describe<TokenRequest>,
          &describe<ServiceToken>,
          &describe<ClusterStatus>,
          &describe<RevisionStatus>,
          &describe<ProxyConfigReport>,
          &describe<Status>,
          &describe<Certificate>,
          &describe<IssuedCertificate>,
          &describe<CertificateRenewal>,
          &describe<AcmeAccount>,
          &describe<Renewal>,
          &describe<KeptProof>,
          &describe<Issuer>,
          &describe<CertificateUpload>,
          &describe<WildcardRequest>,
          &describe<RevocationRequest>,
          &describe<CertificateDeletion>,
          &describe<ServiceCertificateRequest>,
          &describe<ServiceCertificate>,
          &describe<IssuedRevocation>,
          &describe<License>,
          &describe<LicenseFeatures>,
          &describe<LicenseStatus>,
          &describe<LicenseKey>,
          &describe<LicenseValidation>,
          &describe<ApiKey>,
          &describe<SecondFactor>,
          &describe<SecondFactorStart>,
          &describe<SecondFactorSetup>,
          &describe<SecondFactorCode>,
          &describe<SecondFactorEnd>,
          &describe<PlannedChange>,
          &describe<PlanRequest>,
          &describe<PlanReport>,
          &describe<PlannedAudience>,
          &describe<ReachabilityQuery>,
          &describe<Reachability>};
}

json::value at(const json::value& value, std::string_view pointer) {
  json::error_code error;
  const auto* found = value.find_pointer(pointer, error);
  return found ? *found : json::value("nothing at " + std::string(pointer));
}

std::set<std::string> keys(const json::object& object) {
  std::set<std::string> names;
  for (const auto& member : object) names.insert(member.key());
  return names;
}

std::set<std::string> names(const json::object& schema) {
  std::set<std::string> required;
  if (const auto* list = schema.if_contains("required")) {
    for (const auto& name : list->as_array()) required.emplace(name.as_string());
  }
  return required;
}

TEST(Declarations, ExamplesObeyTheirOwnRules) {
  for (const Description* description : all_descriptions()) {
    for (const Field& field : description->fields) {
      if (field.rules.example.empty()) continue;
      const auto object = description->make();
      Violations violations;
      field.shape->from_json(field.member(object.get()), json::parse(field.rules.example),
                             field.rules, "", violations);
      EXPECT_TRUE(violations.empty()) << description->name << "." << field.name;
    }
  }
}

TEST(Declarations, FormatsExist) {
  for (const Description* description : all_descriptions()) {
    for (const Field& field : description->fields) {
      const std::string_view format = field.rules.format;
      const auto known = std::ranges::count(all_formats(), format, &Format::name);
      EXPECT_EQ(known, format.empty() ? 0 : 1) << description->name << "." << field.name;
    }
  }
}

TEST(Declarations, AnswersAreWhatTheirSchemaSays) {
  for (const Description* description : all_descriptions()) {
    const auto object = description->make();
    const json::object answer = to_json(*description, object.get());
    const json::object schema = mp::schema(*description, SchemaOf::Answer);
    EXPECT_EQ(keys(answer), names(schema)) << description->name;
    EXPECT_EQ(schema.at("additionalProperties"), json::value(false));
    for (const auto& name : names(schema)) {
      EXPECT_NE(schema.at("properties").as_object().if_contains(name), nullptr) << name;
    }
  }
}

TEST(Declarations, ColumnsComeBack) {
  for (const Description* description : all_descriptions()) {
    const auto written = description->make(), read = description->make();
    for (const Field& field : description->fields) {
      if (!field.stored()) continue;
      if (field.shape->json_type == JsonType::Integer && !field.shape->nullable) {
        field.shape->from_cell(field.member(written.get()), std::int64_t{41});
      }
      field.shape->from_cell(field.member(read.get()),
                             field.shape->to_cell(field.of(written.get())));
    }
    EXPECT_EQ(stored_json(*description, read.get()), stored_json(*description, written.get()))
        << description->name;
  }
}

TEST(Schema, OfANewServiceHasWhatAClientSets) {
  const json::value schema = mp::schema(describe<Service>, SchemaOf::Create);
  EXPECT_EQ(at(schema, "/required"), (json::value{"name", "ip_fqdn", "collection", "cluster_id"}));
  EXPECT_EQ(keys(at(schema, "/properties").as_object()),
            (std::set<std::string>{"name", "ip_fqdn", "collection", "cluster_id", "auth_type",
                                   "auth_config", "tls", "health_check", "endpoints", "port",
                                   "protocol"}));
  EXPECT_EQ(keys(at(schema, "/properties/auth_config/properties").as_object()),
            (std::set<std::string>{"jwt_expiry", "header"}));
  EXPECT_EQ(at(schema, "/properties/endpoints/items/required"), (json::value{"address"}));
  EXPECT_EQ(at(schema, "/properties/endpoints/maxItems"), 256);
  EXPECT_EQ(at(schema, "/properties/health_check/nullable"), true);
  EXPECT_EQ(
      json::serialize(at(schema, "/properties/auth_type")),
      R"({"type":"string","enum":["none","api_key","jwt"],"description":"How callers prove to be this service.","default":"none"})");
  EXPECT_EQ(json::serialize(at(schema, "/properties/name")),
            R"({"type":"string","minLength":1,"maxLength":100,"pattern":"^[A-Za-z0-9_-]+$",)"
            R"("description":"Name, unique in its cluster.","example":"web-backend"})");
}

TEST(Schema, OfAChangeRequiresNothingAndLetsServerFieldsComeBack) {
  const json::value schema = mp::schema(describe<Service>, SchemaOf::Update);
  EXPECT_EQ(schema.as_object().if_contains("required"), nullptr);
  EXPECT_EQ(at(schema, "/properties/id/description"), "Identifier. May come back unchanged.");
  EXPECT_EQ(at(schema, "/properties/cluster_id/description"),
            "Cluster it belongs to. May come back unchanged.");
  EXPECT_EQ(at(schema, "/properties/status/readOnly"), true);
  EXPECT_EQ(at(schema, "/properties/status/required"), (json::value{"state", "reasons"}));
  EXPECT_EQ(keys(at(schema, "/properties/auth_config/properties").as_object()).count("api_key"),
            0u);
  EXPECT_EQ(schema.at("properties").as_object().if_contains("secret"), nullptr);
}

TEST(Schema, OfAnAnswerHasOptionalSecretsAndNoPasswords) {
  const json::value schema = mp::schema(describe<Service>, SchemaOf::Answer);
  EXPECT_EQ(at(schema, "/properties/auth_config/required"), (json::value{"jwt_expiry", "header"}));
  EXPECT_EQ(at(schema, "/properties/auth_config/properties/api_key/nullable"), true);
  EXPECT_EQ(at(schema, "/properties/status/properties/reasons/items/properties/since/format"),
            "date-time");
  EXPECT_EQ(names(mp::schema(describe<User>, SchemaOf::Answer)).count("password"), 0u);
  const json::value user = mp::schema(describe<User>, SchemaOf::Create);
  EXPECT_EQ(at(user, "/properties/email/format"), "email");
  EXPECT_EQ(at(user, "/properties/is_admin/default"), false);
  EXPECT_EQ(at(user, "/properties/password/minLength"), 12);
}

TEST(Schema, WhatMustBeSentIsNotNullable) {
  const json::value schema = mp::schema(describe<Heartbeat>, SchemaOf::Create);
  EXPECT_EQ(at(schema, "/properties/status").as_object().if_contains("nullable"), nullptr);
  EXPECT_EQ(at(schema, "/properties/status/enum"),
            (json::value{"healthy", "unhealthy", "degraded"}));
  EXPECT_EQ(at(schema, "/properties/metrics").as_object().if_contains("nullable"), nullptr);
  EXPECT_EQ(at(schema, "/properties/metrics/properties/cpu_usage/maximum"), 100);
}

// RFC 7396, appendix A.
TEST(MergePatch, DoesWhatTheStandardsExamplesSay) {
  const std::vector<std::array<std::string, 3>> table{
      {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
      {R"({"a":"b"})", R"({"a":null})", R"({})"},
      {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
      {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
      {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
      {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
      {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
      {R"({"a":"b"})", R"(["c"])", R"(["c"])"},
      {R"({"a":"foo"})", R"(null)", R"(null)"},
      {R"({"a":"foo"})", R"("bar")", R"("bar")"},
      {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
      {R"([1,2])", R"({"a":"b","c":null})", R"({"a":"b"})"},
      {R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
  };
  for (const auto& [target, patch, result] : table) {
    EXPECT_EQ(merge_patch(json::parse(target), json::parse(patch)), json::parse(result))
        << target << " + " << patch;
  }
}

}  // namespace
}  // namespace mp
