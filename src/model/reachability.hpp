// Whether traffic gets from one service to another, by what, and what the caller must show; or what
// is missing: GET /reachability.
#pragma once

#include "model/mapping.hpp"
#include "model/plan.hpp"

namespace mp {

struct ReachabilityQuery {
  std::string to;
  int port = 0;
  Protocol protocol = Protocol::Http;
  std::string from = "any";
  std::optional<std::int64_t> cluster_id;
};
inline constexpr std::array reachability_query_fields{
    field<&ReachabilityQuery::to>("to", "A service by id or name, or collection:<name>.",
                                  {.min = 1, .max = 120, .example = "\"web-backend\""}),
    field<&ReachabilityQuery::port>("port", "Port of the proxy.",
                                    {.min = 1, .max = 65535, .example = "80"}),
    field<&ReachabilityQuery::protocol>("protocol", "What is spoken there.",
                                        {.required = true, .example = "\"http\""}),
    field<&ReachabilityQuery::from>(
        "from", "A service by id or name, collection:<name>, or any: whoever it is.",
        {.min = 1, .max = 120, .example = "\"any\""}),
    field<&ReachabilityQuery::cluster_id>(
        "cluster_id", "The cluster; needed when several have services of these names.",
        {.min = 1, .references = "cluster"}),
};
template <>
inline constexpr Description describe<ReachabilityQuery> = part<ReachabilityQuery>(
    "reachability_query", "Who wants to reach whom.", reachability_query_fields);

enum class ProofKind { None, SourceAddress, Jwt, ApiKey, ClientCertificate };
template <>
inline constexpr std::array names_of<ProofKind>{
    std::string_view("none"), std::string_view("source_address"), std::string_view("jwt"),
    std::string_view("api_key"), std::string_view("client_certificate")};

struct ReachProof {
  ProofKind kind = ProofKind::None;
  std::optional<std::string> service;
  std::optional<std::string> header;
  std::vector<std::string> addresses;
};
inline constexpr std::array reach_proof_fields{
    field<&ReachProof::kind>("kind", "What the caller shows.", {.mode = Mode::Server}),
    field<&ReachProof::service>("service", "Whose credential or address it is.",
                                {.mode = Mode::Server, .example = "\"web-frontend\""}),
    field<&ReachProof::header>("header", "Header that carries the credential.",
                               {.mode = Mode::Server, .example = "\"Authorization\""}),
    field<&ReachProof::addresses>("addresses", "Where the caller must come from.",
                                  {.mode = Mode::Server, .example = "[]"}),
};
template <>
inline constexpr Description describe<ReachProof> =
    part<ReachProof>("reach_proof", "One way to be let in.", reach_proof_fields);

struct ReachProxy {
  std::string proxy_id;
  std::string hostname;
  ConfigState state = ConfigState::Offline;
  std::string message;
};
inline constexpr std::array reach_proxy_fields{
    field<&ReachProxy::proxy_id>("proxy_id", "The proxy.",
                                 {.mode = Mode::Server, .example = "\"proxy-abc123\""}),
    field<&ReachProxy::hostname>(
        "hostname", "Its machine.",
        {.mode = Mode::Server, .example = "\"proxy-egress-01.company.com\""}),
    field<&ReachProxy::state>("state", "Whether it holds what the way is made of.",
                              {.mode = Mode::Server}),
    field<&ReachProxy::message>("message", "Its own words when it refuses that.",
                                {.mode = Mode::Server, .example = "\"\""}),
};
template <>
inline constexpr Description describe<ReachProxy> =
    part<ReachProxy>("reach_proxy", "A proxy on the way.", reach_proxy_fields);

enum class WayTls { None, Ended, PassedThrough };
template <>
inline constexpr std::array names_of<WayTls>{std::string_view("none"), std::string_view("ended"),
                                             std::string_view("passed_through")};

struct ReachWay {
  NamedObject from;
  NamedObject to;
  ProxyKind proxy_type = ProxyKind::Egress;
  NamedObject mapping;
  bool names_source = false;
  bool auth_required = false;
  std::vector<std::string> domains;
  std::string path_prefix;
  WayTls tls = WayTls::None;
  std::vector<NamedObject> certificates;
  std::vector<ReachProof> proofs;
  std::vector<ReachProxy> proxies;
  std::vector<std::string> warnings;
};
inline constexpr std::array reach_way_fields{
    field<&ReachWay::from>("from", "The source; type any when it is whoever it is.",
                           {.mode = Mode::Server}),
    field<&ReachWay::to>("to", "The destination.", {.mode = Mode::Server}),
    field<&ReachWay::proxy_type>("proxy_type", "Through which proxies.", {.mode = Mode::Server}),
    field<&ReachWay::mapping>("mapping", "The mapping that lets it pass.", {.mode = Mode::Server}),
    field<&ReachWay::names_source>("names_source", "Whether the mapping names the source, or any.",
                                   {.mode = Mode::Server}),
    field<&ReachWay::auth_required>("auth_required",
                                    "Whether the mapping wants callers to prove "
                                    "who they are.",
                                    {.mode = Mode::Server}),
    field<&ReachWay::domains>("domains", "Names to ask for, one of them; none over tcp and udp.",
                              {.mode = Mode::Server, .example = "[\"web-backend\"]"}),
    field<&ReachWay::path_prefix>("path_prefix", "Paths that go this way begin with it.",
                                  {.mode = Mode::Server, .example = "\"/\""}),
    field<&ReachWay::tls>("tls", "What becomes of the caller's TLS.", {.mode = Mode::Server}),
    field<&ReachWay::certificates>("certificates", "By which the proxy proves itself.",
                                   {.mode = Mode::Server}),
    field<&ReachWay::proofs>("proofs", "What the caller must show; one of them will do.",
                             {.mode = Mode::Server}),
    field<&ReachWay::proxies>("proxies", "The proxies, and whether they hold it.",
                              {.mode = Mode::Server}),
    field<&ReachWay::warnings>("warnings", "What of the mapping has no effect.",
                               {.mode = Mode::Server, .example = "[]"}),
};
template <>
inline constexpr Description describe<ReachWay> =
    part<ReachWay>("reach_way", "How traffic gets there.", reach_way_fields);

enum class ObstacleKind {
  NoMapping,
  Disabled,
  ProxyType,
  Port,
  Protocol,
  Certificate,
  Shadowed,
  Denied,
  Unsupported,
  NoProxy,
  NotConnected,
  Pending,
  Rejected
};
template <>
inline constexpr std::array names_of<ObstacleKind>{
    std::string_view("no_mapping"),    std::string_view("disabled"),
    std::string_view("proxy_type"),    std::string_view("port"),
    std::string_view("protocol"),      std::string_view("certificate"),
    std::string_view("shadowed"),      std::string_view("denied"),
    std::string_view("unsupported"),   std::string_view("no_proxy"),
    std::string_view("not_connected"), std::string_view("pending"),
    std::string_view("rejected")};

struct ReachObstacle {
  NamedObject from;
  NamedObject to;
  ProxyKind proxy_type = ProxyKind::Egress;
  ObstacleKind kind = ObstacleKind::NoMapping;
  std::optional<std::int64_t> mapping_id;
  std::string message;
};
inline constexpr std::array reach_obstacle_fields{
    field<&ReachObstacle::from>("from", "The source.", {.mode = Mode::Server}),
    field<&ReachObstacle::to>("to", "The destination.", {.mode = Mode::Server}),
    field<&ReachObstacle::proxy_type>("proxy_type", "Of which proxies this is said.",
                                      {.mode = Mode::Server}),
    field<&ReachObstacle::kind>("kind", "What kind of thing is missing.", {.mode = Mode::Server}),
    field<&ReachObstacle::mapping_id>("mapping_id", "The mapping that it is about.",
                                      {.mode = Mode::Server, .example = "7"}),
    field<&ReachObstacle::message>("message", "What is missing.",
                                   {.mode = Mode::Server, .example = "\"Its ports are 443\""}),
};
template <>
inline constexpr Description describe<ReachObstacle> =
    part<ReachObstacle>("reach_obstacle", "Why traffic does not get there.", reach_obstacle_fields);

struct Reachability {
  std::int64_t cluster_id = 0;
  std::int64_t revision = 0;
  bool passes = false;
  bool configured = false;
  std::vector<ReachWay> ways;
  std::vector<ReachObstacle> missing;
};
inline constexpr std::array reachability_fields{
    field<&Reachability::cluster_id>("cluster_id", "The cluster.",
                                     {.mode = Mode::Server, .example = "1"}),
    field<&Reachability::revision>("revision", "The configuration that this is told of.",
                                   {.mode = Mode::Server, .example = "17"}),
    field<&Reachability::passes>(
        "passes",
        "Whether traffic from each source gets to each destination through a proxy that "
        "holds what it takes.",
        {.mode = Mode::Server}),
    field<&Reachability::configured>("configured",
                                     "Whether it would with proxies that hold everything.",
                                     {.mode = Mode::Server}),
    field<&Reachability::ways>("ways", "How it gets there.", {.mode = Mode::Server}),
    field<&Reachability::missing>("missing", "What is missing; empty when it passes.",
                                  {.mode = Mode::Server}),
};
template <>
inline constexpr Description describe<Reachability> =
    part<Reachability>("reachability", "Whether traffic gets there.", reachability_fields);

}  // namespace mp
