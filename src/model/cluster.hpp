// A cluster: a set of services, mappings and proxies that share one key and see nothing of others.
// This file is the only place that lists its fields.
#pragma once

#include "model/shape.hpp"

namespace mp {

struct Cluster {
  std::int64_t id = 0;
  std::string name;
  std::string description;
  std::string syslog_endpoint;
  bool log_auth = true;
  bool log_netflow = false;
  bool log_debug = false;
  bool is_active = true;
  bool is_default = false;
  std::int64_t proxy_count = 0;
  Time created_at;
  std::optional<std::int64_t> created_by;
  std::string api_key;  // masked: the first letters, for telling keys apart
  Time updated_at;
  std::int64_t revision = 1;
  std::string key_hash;  // SHA-256 of the key
  std::optional<std::string> previous_key_hash;
  std::optional<Time> previous_key_until;
};

inline constexpr std::array cluster_fields{
    field<&Cluster::id>("id", "Identifier.", {.mode = Mode::Server, .sort = true}),
    field<&Cluster::name>("name", "Unique name.",
                          {.min = 1,
                           .max = 50,
                           .format = "name",
                           .sort = true,
                           .search = true,
                           .example = "\"production-us-east\""}),
    field<&Cluster::description>("description", "What it is for.",
                                 {.min = 1,
                                  .max = 255,
                                  .search = true,
                                  .example = "\"Production cluster in US East region\""}),
    field<&Cluster::syslog_endpoint>(
        "syslog_endpoint",
        "Syslog server that their records are sent to: host:port, or tcp:// or tls:// before it.",
        {.min = 1,
         .max = 260,
         .format = "syslog_endpoint",
         .example = "\"syslog.company.com:514\""}),
    field<&Cluster::log_auth>("log_auth", "Whether proxies report whom they let in or refused."),
    field<&Cluster::log_netflow>("log_netflow",
                                 "Whether proxies report every connection and request."),
    field<&Cluster::log_debug>("log_debug", "Whether proxies report the details of every request."),
    field<&Cluster::is_active>("is_active", "Whether its keys and streams work."),
    field<&Cluster::is_default>("is_default", "Whether it is the one that the first start made.",
                                {.mode = Mode::Server}),
    field<&Cluster::proxy_count>("proxy_count", "Registered proxies.",
                                 {.mode = Mode::Server, .kept = Kept::Computed, .min = 0}),
    field<&Cluster::created_at>("created_at", "When it was made.",
                                {.mode = Mode::Server, .sort = true}),
    field<&Cluster::created_by>("created_by", "User who made it; null for the first start.",
                                {.mode = Mode::Server}),
    field<&Cluster::api_key>(
        "api_key", "Key of its proxies: whole in the answer that makes it, masked later.",
        {.mode = Mode::Server, .sensitive = true, .example = "\"mp_cluster_abc1...\""}),
    field<&Cluster::updated_at>("updated_at", "When it last changed.",
                                {.mode = Mode::Server, .sort = true}),
    field<&Cluster::revision>("revision", "Counts its changes; the ETag.", {.mode = Mode::Hidden}),
    field<&Cluster::key_hash>("key_hash", "SHA-256 of the key.", {.mode = Mode::Hidden}),
    field<&Cluster::previous_key_hash>("previous_key_hash", "SHA-256 of the key before.",
                                       {.mode = Mode::Hidden}),
    field<&Cluster::previous_key_until>("previous_key_until", "When the key before ends.",
                                        {.mode = Mode::Hidden}),
};
template <>
inline constexpr Description describe<Cluster> = resource<Cluster>(
    "cluster", "clusters", "Services, mappings and proxies that belong together.", cluster_fields);

// The body of PUT /clusters/{id}/logging: all four are required.
struct ClusterLogging {
  std::string syslog_endpoint;
  std::optional<bool> log_auth;
  std::optional<bool> log_netflow;
  std::optional<bool> log_debug;
};
inline constexpr std::array cluster_logging_fields{
    field<&ClusterLogging::syslog_endpoint>(
        "syslog_endpoint",
        "Syslog server that their records are sent to: host:port, or tcp:// or tls:// before it.",
        {.min = 1,
         .max = 260,
         .format = "syslog_endpoint",
         .example = "\"syslog.company.com:514\""}),
    field<&ClusterLogging::log_auth>(
        "log_auth", "Whether proxies report whom they let in or refused.", {.required = true}),
    field<&ClusterLogging::log_netflow>(
        "log_netflow", "Whether proxies report every connection and request.", {.required = true}),
    field<&ClusterLogging::log_debug>(
        "log_debug", "Whether proxies report the details of every request.", {.required = true}),
};
template <>
inline constexpr Description describe<ClusterLogging> =
    part<ClusterLogging>("cluster_logging", "A cluster's logging, whole.", cluster_logging_fields);

}  // namespace mp
