// What GET /config answers: a cluster's intent with the secrets that a proxy needs.
#pragma once

#include "model/mapping.hpp"
#include "model/service.hpp"

namespace mp {

struct ConfiguredCluster {
  std::int64_t id = 0;
  std::string name;
  std::string syslog_endpoint;
  bool log_auth = true;
  bool log_netflow = false;
  bool log_debug = false;
};
inline constexpr std::array configured_cluster_fields{
    field<&ConfiguredCluster::id>("id", "Identifier.", {.mode = Mode::Server}),
    field<&ConfiguredCluster::name>("name", "Its name.",
                                    {.mode = Mode::Server, .example = "\"default\""}),
    field<&ConfiguredCluster::syslog_endpoint>(
        "syslog_endpoint",
        "Syslog server that its records go to: host:port, or tcp:// or tls:// before it.",
        {.mode = Mode::Server, .example = "\"syslog.company.com:514\""}),
    field<&ConfiguredCluster::log_auth>("log_auth", "Whether to log who was let in or refused.",
                                        {.mode = Mode::Server}),
    field<&ConfiguredCluster::log_netflow>("log_netflow", "Whether to log connections.",
                                           {.mode = Mode::Server}),
    field<&ConfiguredCluster::log_debug>("log_debug", "Whether to log details for debugging.",
                                         {.mode = Mode::Server}),
};
template <>
inline constexpr Description describe<ConfiguredCluster> = part<ConfiguredCluster>(
    "configured_cluster", "The cluster, as its proxies need it.", configured_cluster_fields);

struct ConfiguredCertificate {
  std::int64_t id = 0;
  std::string name;
  std::string cert_data;
  Secret key_data;
  std::string ca_data;
};
inline constexpr std::array configured_certificate_fields{
    field<&ConfiguredCertificate::id>("id", "Identifier.", {.mode = Mode::Server}),
    field<&ConfiguredCertificate::name>("name", "Its name.",
                                        {.mode = Mode::Server, .example = "\"web\""}),
    field<&ConfiguredCertificate::cert_data>(
        "cert_data", "Certificate and chain, PEM.",
        {.mode = Mode::Server,
         .example = "\"-----BEGIN CERTIFICATE-----\\n...\\n-----END CERTIFICATE-----\\n\""}),
    field<&ConfiguredCertificate::key_data>(
        "key_data", "Private key, PEM.",
        {.mode = Mode::Server,
         .example = "\"-----BEGIN PRIVATE KEY-----\\n...\\n-----END PRIVATE KEY-----\\n\""}),
    field<&ConfiguredCertificate::ca_data>(
        "ca_data", "Authority, PEM.",
        {.mode = Mode::Server,
         .example = "\"-----BEGIN CERTIFICATE-----\\n...\\n-----END CERTIFICATE-----\\n\""}),
};
template <>
inline constexpr Description describe<ConfiguredCertificate> = part<ConfiguredCertificate>(
    "configured_certificate", "A certificate, as proxies need it.", configured_certificate_fields);

struct ProxyConfiguration {
  ConfiguredCluster cluster;
  std::vector<Service> services;
  std::vector<Mapping> mappings;
  std::vector<ConfiguredCertificate> certificates;
  std::string version;
};
inline constexpr std::array proxy_configuration_fields{
    field<&ProxyConfiguration::cluster>("cluster", "The cluster of the key.",
                                        {.mode = Mode::Server}),
    field<&ProxyConfiguration::services>("services", "Its services, with their secrets.",
                                         {.mode = Mode::Server}),
    field<&ProxyConfiguration::mappings>("mappings", "Its mappings.", {.mode = Mode::Server}),
    field<&ProxyConfiguration::certificates>("certificates", "Its certificates.",
                                             {.mode = Mode::Server}),
    field<&ProxyConfiguration::version>("version", "Hash of all this: same content, same version.",
                                        {.mode = Mode::Server, .example = "\"5f2b9c0d8e1a4b7c\""}),
};
template <>
inline constexpr Description describe<ProxyConfiguration> = part<ProxyConfiguration>(
    "proxy_configuration", "All that a proxy of a cluster needs.", proxy_configuration_fields);

}  // namespace mp
