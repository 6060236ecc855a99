// What proxies send and get: registration, heartbeats, and the configuration for proxies that are
// not Envoy.
#pragma once

#include "model/cluster.hpp"
#include "model/mapping.hpp"
#include "model/proxy.hpp"
#include "model/service.hpp"

namespace mp {

struct Registration {
  std::string hostname;
  std::string version;
  std::optional<std::vector<Capability>> capabilities;
  ProxyKind proxy_type = ProxyKind::Egress;
  std::string name;
  std::string listen_address = "0.0.0.0";
};
inline constexpr std::array registration_fields{
    field<&Registration::hostname>(
        "hostname", "Name of the proxy's machine.",
        {.min = 1, .max = 253, .format = "hostname", .example = "\"proxy-egress-01.company.com\""}),
    field<&Registration::version>(
        "version", "The proxy's version.",
        {.min = 1, .max = 32, .format = "version", .example = "\"v1.0.0\""}),
    field<&Registration::capabilities>("capabilities", "What it can do.",
                                       {.max = 8, .required = true, .example = "[\"ebpf\"]"}),
    field<&Registration::proxy_type>("proxy_type",
                                     "Where it stands: before services or beside sources."),
    field<&Registration::name>("name", "Name for people; the hostname unless set.", {.max = 253}),
    field<&Registration::listen_address>("listen_address", "Address its listeners bind to.",
                                         {.min = 1, .max = 45, .format = "address"}),
};
template <>
inline constexpr Description describe<Registration> =
    part<Registration>("registration", "A proxy that registers.", registration_fields);

struct XdsAccess {
  std::string address;
  std::string node_id;
  std::string node_cluster;
};
inline constexpr std::array xds_access_fields{
    field<&XdsAccess::address>("address", "Where the control plane listens, host:port.",
                               {.mode = Mode::Server, .example = "\"manager.company.com:18000\""}),
    field<&XdsAccess::node_id>("node_id", "The id to connect with.",
                               {.mode = Mode::Server, .example = "\"proxy-abc123\""}),
    field<&XdsAccess::node_cluster>("node_cluster", "The cluster to connect with.",
                                    {.mode = Mode::Server, .example = "\"default\""}),
};
template <>
inline constexpr Description describe<XdsAccess> =
    part<XdsAccess>("xds_access", "How Envoy reaches the control plane.", xds_access_fields);

struct Registered {
  std::string proxy_id;
  std::int64_t cluster_id = 0;
  std::string config_endpoint;
  int heartbeat_interval = 30;
  XdsAccess xds;
  std::vector<Capability> enabled_capabilities;
};
inline constexpr std::array registered_fields{
    field<&Registered::proxy_id>("proxy_id", "The proxy's identifier from now on.",
                                 {.mode = Mode::Server, .example = "\"proxy-abc123\""}),
    field<&Registered::cluster_id>("cluster_id", "The cluster of the key.", {.mode = Mode::Server}),
    field<&Registered::config_endpoint>("config_endpoint",
                                        "Path of the configuration for proxies without xDS.",
                                        {.mode = Mode::Server, .example = "\"/api/v1/config/1\""}),
    field<&Registered::heartbeat_interval>("heartbeat_interval", "Seconds between heartbeats.",
                                           {.mode = Mode::Server}),
    field<&Registered::xds>("xds", "How Envoy reaches the control plane.", {.mode = Mode::Server}),
    field<&Registered::enabled_capabilities>(
        "enabled_capabilities", "Those that the licence allows.", {.mode = Mode::Server}),
};
template <>
inline constexpr Description describe<Registered> =
    part<Registered>("registered", "A proxy that is registered.", registered_fields);

// Offline is ours to find out.
enum class ReportedHealth { Healthy, Unhealthy, Degraded };
template <>
inline constexpr std::array names_of<ReportedHealth>{
    std::string_view("healthy"), std::string_view("unhealthy"), std::string_view("degraded")};

struct Heartbeat {
  std::string proxy_id;
  std::optional<ReportedHealth> status;
  std::optional<ProxyMetrics> metrics;
};
inline constexpr std::array heartbeat_fields{
    field<&Heartbeat::proxy_id>("proxy_id", "Who reports.",
                                {.min = 1, .max = 64, .example = "\"proxy-abc123\""}),
    field<&Heartbeat::status>("status", "Its health.",
                              {.required = true, .example = "\"healthy\""}),
    field<&Heartbeat::metrics>("metrics", "Its figures.", {.required = true}),
};
template <>
inline constexpr Description describe<Heartbeat> =
    part<Heartbeat>("heartbeat", "A proxy's report.", heartbeat_fields);

struct BootstrapQuery {
  std::string proxy_id;
  enum class Format { Yaml, Json } format = Format::Yaml;
  int admin_port = 9901;
  std::string ca_file = "/etc/ssl/certs/ca-certificates.crt";
  std::optional<std::string> certificate_file;
  std::optional<std::string> key_file;
  std::optional<std::string> secret_file;
};
template <>
inline constexpr std::array names_of<BootstrapQuery::Format>{std::string_view("yaml"),
                                                             std::string_view("json")};
inline constexpr std::array bootstrap_query_fields{
    field<&BootstrapQuery::proxy_id>("proxy_id", "The registered proxy.",
                                     {.min = 1, .max = 64, .example = "\"proxy-abc123\""}),
    field<&BootstrapQuery::format>("format", "Form of the document."),
    field<&BootstrapQuery::admin_port>("admin_port",
                                       "Port of Envoy's admin interface on 127.0.0.1; 0 for none.",
                                       {.min = 0, .max = 65535}),
    field<&BootstrapQuery::ca_file>(
        "ca_file", "Where the proxy keeps the authorities it trusts, when xds.tls is files.",
        {.min = 1, .max = 1000, .format = "path"}),
    field<&BootstrapQuery::certificate_file>(
        "certificate_file",
        "Where the proxy keeps its client certificate, which xds.client_ca asks for.",
        {.min = 1, .max = 1000, .format = "path", .example = "\"/etc/marchproxy/proxy.pem\""}),
    field<&BootstrapQuery::key_file>(
        "key_file", "Where it keeps the private key of that certificate.",
        {.min = 1, .max = 1000, .format = "path", .example = "\"/etc/marchproxy/proxy.key\""}),
    field<&BootstrapQuery::secret_file>(
        "secret_file",
        "Instead of those two: where it keeps Envoy's file of the secret `client_certificate`, "
        "which names them. Envoy then reads them anew when they are replaced, and not only when it "
        "starts.",
        {.min = 1, .max = 1000, .format = "path", .example = "\"/etc/marchproxy/proxy.json\""}),
};
template <>
inline constexpr Description describe<BootstrapQuery> =
    part<BootstrapQuery>("bootstrap_query", "Whose bootstrap, and how.", bootstrap_query_fields);

struct GrpcBootstrapQuery {
  std::string node_id = "grpc";
  std::string ca_file = "/etc/marchproxy/authority.pem";
  std::optional<std::string> certificate_file;
  std::optional<std::string> key_file;
};
inline constexpr std::array grpc_bootstrap_query_fields{
    field<&GrpcBootstrapQuery::node_id>(
        "node_id", "Name of the client; many may have the same.",
        {.min = 1, .max = 64, .format = "node_id", .example = "\"checkout\""}),
    field<&GrpcBootstrapQuery::ca_file>(
        "ca_file", "Where the client keeps the manager's authority, when the xDS port has TLS.",
        {.min = 1, .max = 1000, .format = "path", .example = "\"/etc/marchproxy/authority.pem\""}),
    field<&GrpcBootstrapQuery::certificate_file>(
        "certificate_file", "Where the client keeps its certificate, which xds.client_ca asks for.",
        {.min = 1, .max = 1000, .format = "path", .example = "\"/etc/marchproxy/client.pem\""}),
    field<&GrpcBootstrapQuery::key_file>(
        "key_file", "Where it keeps the private key of that certificate.",
        {.min = 1, .max = 1000, .format = "path", .example = "\"/etc/marchproxy/client.key\""}),
};
template <>
inline constexpr Description describe<GrpcBootstrapQuery> = part<GrpcBootstrapQuery>(
    "grpc_bootstrap_query", "A gRPC client's name and files.", grpc_bootstrap_query_fields);

}  // namespace mp
