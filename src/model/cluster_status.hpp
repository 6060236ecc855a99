// Where configuration is live: answers about clusters, revisions and single proxies.
#pragma once

#include "model/proxy.hpp"

namespace mp {

enum class FleetState { Live, Pending, Rejected, Idle };
template <>
inline constexpr std::array names_of<FleetState>{
    std::string_view("live"), std::string_view("pending"), std::string_view("rejected"),
    std::string_view("idle")};

struct ProxyStanding {
  std::string proxy_id;
  std::string hostname;
  std::int64_t revision = 0;
  ConfigState state = ConfigState::Offline;
  Time since;
};
inline constexpr std::array proxy_standing_fields{
    field<&ProxyStanding::proxy_id>("proxy_id", "The proxy.",
                                    {.mode = Mode::Server, .example = "\"proxy-abc123\""}),
    field<&ProxyStanding::hostname>(
        "hostname", "Its machine.",
        {.mode = Mode::Server, .example = "\"proxy-egress-01.company.com\""}),
    field<&ProxyStanding::revision>("revision",
                                    "Everything up to here it has acknowledged or refused.",
                                    {.mode = Mode::Server}),
    field<&ProxyStanding::state>("state", "Whether it holds the change.", {.mode = Mode::Server}),
    field<&ProxyStanding::since>("since", "Since when.", {.mode = Mode::Server}),
};
template <>
inline constexpr Description describe<ProxyStanding> =
    part<ProxyStanding>("proxy_standing", "How far one proxy is.", proxy_standing_fields);

struct ClusterStatus {
  std::int64_t revision = 0;
  FleetState state = FleetState::Idle;
  std::vector<ProxyStanding> proxies;
  std::vector<std::string> warnings;
};
inline constexpr std::array cluster_status_fields{
    field<&ClusterStatus::revision>("revision", "The newest configuration.",
                                    {.mode = Mode::Server}),
    field<&ClusterStatus::state>(
        "state", "Whether every connected proxy holds it; idle when none is connected.",
        {.mode = Mode::Server}),
    field<&ClusterStatus::proxies>(
        "proxies", "Each proxy that connected since the manager's start.", {.mode = Mode::Server}),
    field<&ClusterStatus::warnings>(
        "warnings", "What of the intent has no effect, and why.",
        {.mode = Mode::Server,
         .example = "[\"mapping 7: no service is in collection:web-services\"]"}),
};
template <>
inline constexpr Description describe<ClusterStatus> = part<ClusterStatus>(
    "cluster_status", "Where a cluster's configuration is live.", cluster_status_fields);

struct RevisionStatus {
  std::int64_t revision = 0;
  Time time;
  FleetState state = FleetState::Idle;
  std::vector<ProxyStanding> proxies;
};
inline constexpr std::array revision_status_fields{
    field<&RevisionStatus::revision>("revision", "The change.", {.mode = Mode::Server}),
    field<&RevisionStatus::time>("time", "When it was made.", {.mode = Mode::Server}),
    field<&RevisionStatus::state>("state", "Whether every connected proxy concerned holds it.",
                                  {.mode = Mode::Server}),
    field<&RevisionStatus::proxies>("proxies", "Each proxy of its cluster.",
                                    {.mode = Mode::Server}),
};
template <>
inline constexpr Description describe<RevisionStatus> =
    part<RevisionStatus>("revision_status", "Where one change is live.", revision_status_fields);

struct HeldResources {
  std::string type_url;
  std::string version;
  std::int64_t resources = 0;
};
inline constexpr std::array held_resources_fields{
    field<&HeldResources::type_url>(
        "type_url", "Envoy's resource type.",
        {.mode = Mode::Server,
         .example = "\"type.googleapis.com/envoy.config.listener.v3.Listener\""}),
    field<&HeldResources::version>("version", "Hash of what it holds.",
                                   {.mode = Mode::Server, .example = "\"5f2b9c0d8e1a4b7c\""}),
    field<&HeldResources::resources>("resources", "How many.", {.mode = Mode::Server}),
};
template <>
inline constexpr Description describe<HeldResources> =
    part<HeldResources>("held_resources", "What a proxy holds of one type.", held_resources_fields);

struct RefusedObject {
  std::string type;
  std::int64_t id = 0;
  std::string name;
};
inline constexpr std::array refused_object_fields{
    field<&RefusedObject::type>("type", "Its noun: service, mapping …; in lower case.",
                                {.mode = Mode::Server, .example = "\"mapping\""}),
    field<&RefusedObject::id>("id", "Its identifier.", {.mode = Mode::Server}),
    field<&RefusedObject::name>("name", "Its name, where it has one.",
                                {.mode = Mode::Server, .example = "\"web-backend\""}),
};
template <>
inline constexpr Description describe<RefusedObject> = part<RefusedObject>(
    "refused_object", "The object that a refused resource came from.", refused_object_fields);

struct RefusedResource {
  std::string resource;
  RefusedObject object;
  std::string message;
  Time since;
};
inline constexpr std::array refused_resource_fields{
    field<&RefusedResource::resource>("resource", "Name of the resource.",
                                      {.mode = Mode::Server, .example = "\"listener_80\""}),
    field<&RefusedResource::object>("object", "Where it came from.", {.mode = Mode::Server}),
    field<&RefusedResource::message>(
        "message", "The proxy's own words.",
        {.mode = Mode::Server, .example = "\"cannot bind '0.0.0.0:80': Address already in use\""}),
    field<&RefusedResource::since>("since", "Since when.", {.mode = Mode::Server}),
};
template <>
inline constexpr Description describe<RefusedResource> =
    part<RefusedResource>("refused_resource", "What a proxy refuses.", refused_resource_fields);

struct ProxyConfigReport {
  std::int64_t revision = 0;
  ConfigState state = ConfigState::Offline;
  std::vector<HeldResources> types;
  std::vector<RefusedResource> rejected;
};
inline constexpr std::array proxy_config_report_fields{
    field<&ProxyConfigReport::revision>("revision",
                                        "Everything up to here it has acknowledged or refused.",
                                        {.mode = Mode::Server}),
    field<&ProxyConfigReport::state>("state", "Whether that is the newest.",
                                     {.mode = Mode::Server}),
    field<&ProxyConfigReport::types>("types", "What it holds, by type.", {.mode = Mode::Server}),
    field<&ProxyConfigReport::rejected>("rejected", "What it refuses.", {.mode = Mode::Server}),
};
template <>
inline constexpr Description describe<ProxyConfigReport> = part<ProxyConfigReport>(
    "proxy_config_report", "What configuration one proxy holds.", proxy_config_report_fields);

}  // namespace mp
