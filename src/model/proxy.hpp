// A proxy: a registered Envoy (or another proxy that reads GET /config), and what it reports.
// This file is the only place that lists its fields.
#pragma once

#include "model/shape.hpp"

namespace mp {

enum class ProxyKind { Egress, Ingress };
template <>
inline constexpr std::array names_of<ProxyKind>{std::string_view("egress"),
                                                std::string_view("ingress")};

enum class Health { Healthy, Unhealthy, Degraded, Offline };
template <>
inline constexpr std::array names_of<Health>{
    std::string_view("healthy"), std::string_view("unhealthy"), std::string_view("degraded"),
    std::string_view("offline")};

// What a proxy can do. Both spellings of some are read; the first of each is written.
enum class Capability { Ebpf, Xdp, Afxdp, Dpdk, Sriov, Mtls, AfXdpAlias, SrIovAlias };
template <>
inline constexpr std::array names_of<Capability>{
    std::string_view("ebpf"),   std::string_view("xdp"),   std::string_view("afxdp"),
    std::string_view("dpdk"),   std::string_view("sriov"), std::string_view("mtls"),
    std::string_view("af_xdp"), std::string_view("sr_iov")};

struct ProxyMetrics {
  std::int64_t active_connections = -1;
  double requests_per_second = -1;
  double cpu_usage = -1;
  double memory_usage = -1;
  std::optional<std::int64_t> ebpf_programs_loaded;
  std::optional<std::int64_t> xdp_programs_attached;
  std::optional<std::int64_t> bytes_sent;
  std::optional<std::int64_t> bytes_received;
};

inline constexpr std::array proxy_metrics_fields{
    field<&ProxyMetrics::active_connections>("active_connections", "Connections open now.",
                                             {.min = 0, .example = "12"}),
    field<&ProxyMetrics::requests_per_second>("requests_per_second", "Requests a second.",
                                              {.min = 0, .example = "150.5"}),
    field<&ProxyMetrics::cpu_usage>("cpu_usage", "Percent of the processors.",
                                    {.min = 0, .max = 100, .example = "12.5"}),
    field<&ProxyMetrics::memory_usage>("memory_usage", "Percent of the memory.",
                                       {.min = 0, .max = 100, .example = "40"}),
    field<&ProxyMetrics::ebpf_programs_loaded>("ebpf_programs_loaded", "eBPF programs loaded.",
                                               {.min = 0}),
    field<&ProxyMetrics::xdp_programs_attached>("xdp_programs_attached", "XDP programs attached.",
                                                {.min = 0}),
    field<&ProxyMetrics::bytes_sent>("bytes_sent", "Bytes sent since its start.", {.min = 0}),
    field<&ProxyMetrics::bytes_received>("bytes_received", "Bytes received since its start.",
                                         {.min = 0}),
};
template <>
inline constexpr Description describe<ProxyMetrics> =
    part<ProxyMetrics>("proxy_metrics", "Figures of a proxy.", proxy_metrics_fields);

enum class ConfigState { Live, Pending, Rejected, Offline };
template <>
inline constexpr std::array names_of<ConfigState>{
    std::string_view("live"), std::string_view("pending"), std::string_view("rejected"),
    std::string_view("offline")};

struct ProxyConfigState {
  std::int64_t revision = 0;
  ConfigState state = ConfigState::Offline;
};

inline constexpr std::array proxy_config_state_fields{
    field<&ProxyConfigState::revision>("revision", "Configuration it has acknowledged.",
                                       {.mode = Mode::Server}),
    field<&ProxyConfigState::state>("state", "Whether that is the newest.", {.mode = Mode::Server}),
};
template <>
inline constexpr Description describe<ProxyConfigState> = part<ProxyConfigState>(
    "proxy_config_state", "What configuration a proxy holds.", proxy_config_state_fields);

struct Proxy {
  std::string id;
  std::string hostname;
  std::string name;
  ProxyKind proxy_type = ProxyKind::Egress;
  std::int64_t cluster_id = 0;
  Health status = Health::Healthy;  // as reported; offline is found when it is read
  std::string version;
  std::vector<Capability> capabilities;
  std::string listen_address = "0.0.0.0";
  Time last_seen;
  std::optional<ProxyMetrics> metrics;
  ProxyConfigState config;
  Time created_at;
  Time updated_at;
  std::int64_t revision = 1;
};

inline constexpr std::array proxy_fields{
    field<&Proxy::id>("id", "Identifier; Envoy's node id.",
                      {.mode = Mode::Server, .sort = true, .example = "\"proxy-abc123\""}),
    field<&Proxy::hostname>("hostname", "Name of its machine.",
                            {.min = 1,
                             .max = 253,
                             .format = "hostname",
                             .search = true,
                             .example = "\"proxy-egress-01.company.com\""}),
    field<&Proxy::name>("name", "Name for people; the hostname unless set.",
                        {.max = 253, .sort = true, .search = true, .example = "\"egress 1\""}),
    field<&Proxy::proxy_type>("proxy_type", "Where it stands: before services or beside sources.",
                              {.filter = true}),
    field<&Proxy::cluster_id>("cluster_id", "Cluster whose key it registered with.",
                              {.mode = Mode::Server, .references = "cluster", .filter = true}),
    field<&Proxy::status>("status",
                          "Its health; offline after three missed heartbeats without a stream.",
                          {.mode = Mode::Server}),
    field<&Proxy::version>("version", "Its version.",
                           {.min = 1, .max = 32, .format = "version", .example = "\"v1.0.0\""}),
    field<&Proxy::capabilities>("capabilities", "What it can do.",
                                {.max = 8, .example = "[\"ebpf\"]"}),
    field<&Proxy::listen_address>("listen_address", "Address its listeners bind to.",
                                  {.min = 1, .max = 45, .format = "address"}),
    field<&Proxy::last_seen>("last_seen", "When it last reported.", {.mode = Mode::Server}),
    field<&Proxy::metrics>("metrics", "Figures of its last heartbeat.", {.mode = Mode::Server}),
    field<&Proxy::config>("config", "What configuration it holds.",
                          {.mode = Mode::Server, .kept = Kept::Computed}),
    field<&Proxy::created_at>("created_at", "When it first registered.",
                              {.mode = Mode::Server, .sort = true}),
    field<&Proxy::updated_at>("updated_at", "When it last registered.",
                              {.mode = Mode::Server, .sort = true}),
    field<&Proxy::revision>("revision", "Counts its registrations; the ETag.",
                            {.mode = Mode::Hidden}),
};
template <>
inline constexpr Description describe<Proxy> =
    resource<Proxy>("proxy", "proxies", "A registered proxy.", proxy_fields);

// Neither a heartbeat nor a stream for so many intervals: offline.
inline constexpr int missed_heartbeats = 3;

// Who was last seen then, or before, is offline now. `interval` in seconds.
inline Time offline_before(Time now, int interval) {
  return now - std::chrono::seconds(missed_heartbeats * interval);
}

}  // namespace mp
