// Changes that are tried without being made, and what they would do: POST /plan.
#pragma once

#include "model/json_object.hpp"
#include "model/proxy.hpp"

namespace mp {

enum class PlannedAction { Create, Update, Patch, Delete };
template <>
inline constexpr std::array names_of<PlannedAction>{
    std::string_view("create"), std::string_view("update"), std::string_view("patch"),
    std::string_view("delete")};

enum class PlannedNoun { Service, Mapping, Cluster, Certificate };
template <>
inline constexpr std::array names_of<PlannedNoun>{
    std::string_view("service"), std::string_view("mapping"), std::string_view("cluster"),
    std::string_view("certificate")};

struct PlannedChange {
  PlannedAction action = PlannedAction::Create;
  PlannedNoun type = PlannedNoun::Service;
  std::optional<std::int64_t> id;
  std::optional<JsonObject> data;
};
inline constexpr std::array planned_change_fields{
    field<&PlannedChange::action>("action", "What to do: as POST, PUT, PATCH or DELETE would.",
                                  {.required = true, .example = "\"create\""}),
    field<&PlannedChange::type>("type", "What it is done to.",
                                {.required = true, .example = "\"service\""}),
    field<&PlannedChange::id>("id", "The object; not of one that is made.", {.min = 1}),
    field<&PlannedChange::data>(
        "data", "The body of the request; with delete its query parameters.",
        {.example = R"({"name": "web", "ip_fqdn": "10.0.0.7", "collection": "shop", )"
                    R"("cluster_id": 1})"}),
};

// An id unless it is made, data unless it is deleted, and a change that can be told in JSON alone.
void check_planned_change(const void* object, Violations& violations);

template <>
inline constexpr Description describe<PlannedChange> = part<PlannedChange>(
    "planned_change", "One change of a plan.", planned_change_fields, check_planned_change);

struct PlanRequest {
  std::vector<PlannedChange> changes;
};
inline constexpr std::array plan_request_fields{
    field<&PlanRequest::changes>(
        "changes", "The changes, in their order; a later one may name what an earlier one makes.",
        {.min = 1,
         .max = 1000,
         .example = R"([{"action": "create", "type": "service", "data": {"name": "web", )"
                    R"("ip_fqdn": "10.0.0.7", "collection": "shop", "cluster_id": 1}}])"}),
};
template <>
inline constexpr Description describe<PlanRequest> =
    part<PlanRequest>("plan_request", "Changes to try.", plan_request_fields);

// ---- the answer ----

struct NamedObject {
  std::string type;
  std::int64_t id = 0;
  std::string name;
};
inline constexpr std::array named_object_fields{
    field<&NamedObject::type>("type", "Its noun: service, mapping …; in lower case.",
                              {.mode = Mode::Server, .example = "\"mapping\""}),
    field<&NamedObject::id>("id", "Its identifier.", {.mode = Mode::Server, .example = "7"}),
    field<&NamedObject::name>("name", "Its name, where it has one.",
                              {.mode = Mode::Server, .example = "\"mapping 7\""}),
};
template <>
inline constexpr Description describe<NamedObject> =
    part<NamedObject>("named_object", "An object that something came from.", named_object_fields);

struct PlanProblem {
  int change = 0;
  std::string field;
  std::string code;
  std::string issue;
  JsonObject details;
};
inline constexpr std::array plan_problem_fields{
    field<&PlanProblem::change>("change", "Which change, from 0.", {.mode = Mode::Server}),
    field<&PlanProblem::field>("field", "Path into the request.",
                               {.mode = Mode::Server, .example = "\"changes[0].data.ip_fqdn\""}),
    field<&PlanProblem::code>("code", "The error's code.",
                              {.mode = Mode::Server, .example = "\"VALIDATION_ERROR\""}),
    field<&PlanProblem::issue>(
        "issue", "What is wrong.",
        {.mode = Mode::Server, .example = "\"Must be an IP address or a host name\""}),
    field<&PlanProblem::details>(
        "details", "What else is known; what was sent, unless secret.",
        {.mode = Mode::Server, .example = R"({"provided": "invalid..value"})"}),
};
template <>
inline constexpr Description describe<PlanProblem> =
    part<PlanProblem>("plan_problem", "Why a change would be refused.", plan_problem_fields);

enum class PlannedDeed { Create, Update, Delete };
template <>
inline constexpr std::array names_of<PlannedDeed>{
    std::string_view("create"), std::string_view("update"), std::string_view("delete")};

struct PlannedObject {
  std::string type;
  std::int64_t id = 0;
  std::string name;
  std::optional<std::int64_t> cluster_id;
  PlannedDeed deed = PlannedDeed::Create;
  std::vector<std::string> fields;
};
inline constexpr std::array planned_object_fields{
    field<&PlannedObject::type>("type", "Its noun.",
                                {.mode = Mode::Server, .example = "\"service\""}),
    field<&PlannedObject::id>("id", "Its identifier; of a new one what it would be now.",
                              {.mode = Mode::Server, .example = "42"}),
    field<&PlannedObject::name>("name", "Its name, where it has one.",
                                {.mode = Mode::Server, .example = "\"web\""}),
    field<&PlannedObject::cluster_id>("cluster_id", "Its cluster; null for one of all clusters.",
                                      {.mode = Mode::Server, .example = "1"}),
    field<&PlannedObject::deed>("deed", "What becomes of it.", {.mode = Mode::Server}),
    field<&PlannedObject::fields>("fields", "Which of its fields would be others.",
                                  {.mode = Mode::Server, .example = "[\"ip_fqdn\"]"}),
};
template <>
inline constexpr Description describe<PlannedObject> = part<PlannedObject>(
    "planned_object", "An object that would be another one.", planned_object_fields);

struct ConcernedProxy {
  std::string proxy_id;
  std::string hostname;
  ProxyKind proxy_type = ProxyKind::Egress;
  std::int64_t cluster_id = 0;
  bool connected = false;
};
inline constexpr std::array concerned_proxy_fields{
    field<&ConcernedProxy::proxy_id>("proxy_id", "The proxy.",
                                     {.mode = Mode::Server, .example = "\"proxy-abc123\""}),
    field<&ConcernedProxy::hostname>(
        "hostname", "Its machine.",
        {.mode = Mode::Server, .example = "\"proxy-egress-01.company.com\""}),
    field<&ConcernedProxy::proxy_type>("proxy_type", "Where it stands.", {.mode = Mode::Server}),
    field<&ConcernedProxy::cluster_id>("cluster_id", "Its cluster.",
                                       {.mode = Mode::Server, .example = "1"}),
    field<&ConcernedProxy::connected>("connected", "Whether it has a stream to this manager now.",
                                      {.mode = Mode::Server}),
};
template <>
inline constexpr Description describe<ConcernedProxy> = part<ConcernedProxy>(
    "concerned_proxy", "A proxy that would be sent something.", concerned_proxy_fields);

struct PlannedResource {
  std::string name;
  std::vector<NamedObject> objects;
};
inline constexpr std::array planned_resource_fields{
    field<&PlannedResource::name>("name", "Its name.",
                                  {.mode = Mode::Server, .example = "\"service/42/80\""}),
    field<&PlannedResource::objects>("objects", "What it comes from, or came from.",
                                     {.mode = Mode::Server}),
};
template <>
inline constexpr Description describe<PlannedResource> =
    part<PlannedResource>("planned_resource", "A resource of Envoy.", planned_resource_fields);

struct ResourceDifference {
  std::string type_url;
  std::vector<PlannedResource> added;
  std::vector<PlannedResource> changed;
  std::vector<PlannedResource> removed;
};
inline constexpr std::array resource_difference_fields{
    field<&ResourceDifference::type_url>(
        "type_url", "Envoy's resource type.",
        {.mode = Mode::Server,
         .example = "\"type.googleapis.com/envoy.config.cluster.v3.Cluster\""}),
    field<&ResourceDifference::added>("added", "New ones.", {.mode = Mode::Server}),
    field<&ResourceDifference::changed>("changed", "Those of other content.",
                                        {.mode = Mode::Server}),
    field<&ResourceDifference::removed>("removed", "Those that go.", {.mode = Mode::Server}),
};
template <>
inline constexpr Description describe<ResourceDifference> = part<ResourceDifference>(
    "resource_difference", "What would be different of one type.", resource_difference_fields);

enum class FindingKind { Shadowed, Unsupported, Warning };
template <>
inline constexpr std::array names_of<FindingKind>{
    std::string_view("shadowed"), std::string_view("unsupported"), std::string_view("warning")};

struct PlannedFinding {
  NamedObject object;
  FindingKind kind = FindingKind::Warning;
  std::string message;
};
inline constexpr std::array planned_finding_fields{
    field<&PlannedFinding::object>("object", "What it is about.", {.mode = Mode::Server}),
    field<&PlannedFinding::kind>("kind", "How bad it is.", {.mode = Mode::Server}),
    field<&PlannedFinding::message>(
        "message", "What has no effect, and why.",
        {.mode = Mode::Server, .example = "\"The service \\\"web\\\" has no credential yet\""}),
};
template <>
inline constexpr Description describe<PlannedFinding> = part<PlannedFinding>(
    "planned_finding", "Something that proxies cannot do as it is wanted.", planned_finding_fields);

enum class WireFlavour { Delta, StateOfTheWorld };
template <>
inline constexpr std::array names_of<WireFlavour>{std::string_view("delta"),
                                                  std::string_view("state_of_the_world")};

struct PlannedAudience {
  std::int64_t cluster_id = 0;
  ProxyKind proxy_type = ProxyKind::Egress;
  WireFlavour flavour = WireFlavour::Delta;
  std::vector<std::string> listen_addresses;
  std::vector<ResourceDifference> types;
  std::vector<PlannedFinding> appeared;
  std::vector<PlannedFinding> disappeared;
  std::vector<std::string> breaches;
};
inline constexpr std::array planned_audience_fields{
    field<&PlannedAudience::cluster_id>("cluster_id", "Cluster of the proxies.",
                                        {.mode = Mode::Server, .example = "1"}),
    field<&PlannedAudience::proxy_type>("proxy_type", "Type of the proxies.",
                                        {.mode = Mode::Server}),
    field<&PlannedAudience::flavour>("flavour", "How they are told: by differences or as a whole.",
                                     {.mode = Mode::Server}),
    field<&PlannedAudience::listen_addresses>(
        "listen_addresses", "Where they listen; the names of resources are the same for all.",
        {.mode = Mode::Server, .example = "[\"0.0.0.0\"]"}),
    field<&PlannedAudience::types>("types", "What would be different, by type of resource.",
                                   {.mode = Mode::Server}),
    field<&PlannedAudience::appeared>("appeared", "Findings that there would be.",
                                      {.mode = Mode::Server}),
    field<&PlannedAudience::disappeared>(
        "disappeared", "Findings that there would not be any more.", {.mode = Mode::Server}),
    field<&PlannedAudience::breaches>("breaches",
                                      "What would keep the configuration from being sent.",
                                      {.mode = Mode::Server, .example = "[]"}),
};
template <>
inline constexpr Description describe<PlannedAudience> = part<PlannedAudience>(
    "planned_audience", "What one kind of proxies would be given.", planned_audience_fields);

struct PlanReport {
  std::int64_t revision = 0;
  bool applicable = false;
  std::vector<PlanProblem> problems;
  std::vector<PlannedObject> objects;
  std::vector<ConcernedProxy> proxies;
  std::vector<PlannedAudience> audiences;
};
inline constexpr std::array plan_report_fields{
    field<&PlanReport::revision>("revision", "The configuration that it was tried on.",
                                 {.mode = Mode::Server, .example = "17"}),
    field<&PlanReport::applicable>("applicable", "Whether every change would be accepted.",
                                   {.mode = Mode::Server, .example = "true"}),
    field<&PlanReport::problems>("problems",
                                 "Why changes would be refused; they are left out below.",
                                 {.mode = Mode::Server, .example = "[]"}),
    field<&PlanReport::objects>("objects", "What would be made, changed and deleted.",
                                {.mode = Mode::Server}),
    field<&PlanReport::proxies>("proxies", "Who would be sent something.", {.mode = Mode::Server}),
    field<&PlanReport::audiences>("audiences", "What the proxies would be given, by kind of proxy.",
                                  {.mode = Mode::Server}),
};
template <>
inline constexpr Description describe<PlanReport> =
    part<PlanReport>("plan_report", "What a set of changes would do.", plan_report_fields);

}  // namespace mp
