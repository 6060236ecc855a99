// A service: a backend that proxies send traffic to, and an identity that mappings admit.
// This file is the only place that lists its fields.
#pragma once

#include "model/shape.hpp"
#include "model/status.hpp"

namespace mp {

enum class AuthType { None, ApiKey, Jwt };
template <>
inline constexpr std::array names_of<AuthType>{
    std::string_view("none"), std::string_view("api_key"), std::string_view("jwt")};

enum class UpstreamProtocol { Http1, Http2, Auto };
template <>
inline constexpr std::array names_of<UpstreamProtocol>{
    std::string_view("http1"), std::string_view("http2"), std::string_view("auto")};

enum class HealthProtocol { Http, Tcp, Grpc };
template <>
inline constexpr std::array names_of<HealthProtocol>{
    std::string_view("http"), std::string_view("tcp"), std::string_view("grpc")};

// What auth_config says unless the client does.
inline constexpr int usual_jwt_expiry = 3600;
inline constexpr std::string_view usual_key_header = "X-API-Key";

struct AuthConfig {
  std::optional<int> jwt_expiry;
  std::optional<std::string> header;
  std::optional<Secret> jwt_secret;
  std::optional<Secret> api_key;
  std::optional<Secret> previous_secret;
  std::optional<Time> previous_secret_until;
};

inline constexpr std::array auth_config_fields{
    field<&AuthConfig::jwt_expiry>("jwt_expiry",
                                   "Longest life of a token, in seconds; 3600 unless set.",
                                   {.min = 300, .max = 86400, .example = "3600"}),
    field<&AuthConfig::header>(
        "header", "Header that carries the API key; X-API-Key unless set.",
        {.min = 1, .max = 100, .format = "header_name", .example = "\"X-API-Key\""}),
    field<&AuthConfig::jwt_secret>(
        "jwt_secret",
        "The secret, in the answer that makes it and in its proxies' configuration alone.",
        {.mode = Mode::Server, .kept = Kept::Once}),
    field<&AuthConfig::api_key>(
        "api_key", "The key, in the answer that makes it and in its proxies' configuration alone.",
        {.mode = Mode::Server, .kept = Kept::Once}),
    field<&AuthConfig::previous_secret>(
        "previous_secret",
        "The secret or key before that, while it is good, in its proxies' configuration alone.",
        {.mode = Mode::Server, .kept = Kept::Once}),
    field<&AuthConfig::previous_secret_until>("previous_secret_until", "When that ends.",
                                              {.mode = Mode::Server, .kept = Kept::Once}),
};
template <>
inline constexpr Description describe<AuthConfig> = part<AuthConfig>(
    "auth_config", "How callers prove to be this service, by auth_type.", auth_config_fields);

struct UpstreamTls {
  bool enabled = false;
  bool verify = true;
  std::string server_name;
  std::string ca_pem;
};

inline constexpr std::array upstream_tls_fields{
    field<&UpstreamTls::enabled>("enabled", "Whether proxies speak TLS to the service."),
    field<&UpstreamTls::verify>("verify", "Whether its certificate is checked."),
    field<&UpstreamTls::server_name>(
        "server_name", "Name sent as SNI and checked; the address unless set.",
        {.max = 253, .format = "optional_host", .example = "\"web.company.com\""}),
    field<&UpstreamTls::ca_pem>("ca_pem", "Certificates to trust, PEM; the system's unless set.",
                                {.max = 65536, .format = "optional_certificates"}),
};
template <>
inline constexpr Description describe<UpstreamTls> =
    part<UpstreamTls>("upstream_tls", "TLS from the proxy to the service.", upstream_tls_fields);

struct HealthCheck {
  bool enabled = true;
  HealthProtocol protocol = HealthProtocol::Http;
  std::string path = "/healthz";
  int interval = 10;
  int timeout = 2;
  int healthy_threshold = 2;
  int unhealthy_threshold = 3;
};

inline constexpr std::array health_check_fields{
    field<&HealthCheck::enabled>("enabled", "Whether proxies probe the service."),
    field<&HealthCheck::protocol>("protocol", "What a probe speaks."),
    field<&HealthCheck::path>("path", "Path of an HTTP probe.",
                              {.min = 1, .max = 1000, .format = "path"}),
    field<&HealthCheck::interval>("interval", "Seconds between probes.", {.min = 1, .max = 300}),
    field<&HealthCheck::timeout>("timeout", "Seconds a probe may take.", {.min = 1, .max = 60}),
    field<&HealthCheck::healthy_threshold>(
        "healthy_threshold", "Good probes until it counts as healthy.", {.min = 1, .max = 10}),
    field<&HealthCheck::unhealthy_threshold>("unhealthy_threshold", "Bad probes until it does not.",
                                             {.min = 1, .max = 10}),
};
template <>
inline constexpr Description describe<HealthCheck> =
    part<HealthCheck>("health_check", "Active health checks of the service.", health_check_fields);

struct ServiceEndpoint {
  std::string address;
  std::optional<int> port;
  int weight = 1;
};

inline constexpr std::array service_endpoint_fields{
    field<&ServiceEndpoint::address>(
        "address", "IP address or DNS name.",
        {.min = 1, .max = 253, .format = "host", .example = "\"10.0.1.101\""}),
    field<&ServiceEndpoint::port>("port", "Its port; the service's or the mapping's unless set.",
                                  {.min = 1, .max = 65535}),
    field<&ServiceEndpoint::weight>("weight", "Share of the traffic beside the others.",
                                    {.min = 1, .max = 128}),
};
template <>
inline constexpr Description describe<ServiceEndpoint> =
    part<ServiceEndpoint>("service_endpoint", "One address of a service.", service_endpoint_fields);

struct Service {
  std::int64_t id = 0;
  std::string name;
  std::string ip_fqdn;
  std::string collection;
  std::int64_t cluster_id = 0;
  AuthType auth_type = AuthType::None;
  AuthConfig auth_config;
  UpstreamTls tls;
  std::optional<HealthCheck> health_check;
  std::vector<ServiceEndpoint> endpoints;
  std::optional<int> port;
  UpstreamProtocol protocol = UpstreamProtocol::Http1;
  Status status;
  Time created_at;
  Time updated_at;
  std::int64_t revision = 1;
  std::optional<Secret> secret;
  std::optional<Secret> previous_secret;
  std::optional<Time> previous_secret_until;
};

inline constexpr std::array service_fields{
    field<&Service::id>("id", "Identifier.", {.mode = Mode::Server, .sort = true}),
    field<&Service::name>("name", "Name, unique in its cluster.",
                          {.min = 1,
                           .max = 100,
                           .format = "name",
                           .sort = true,
                           .search = true,
                           .example = "\"web-backend\""}),
    field<&Service::ip_fqdn>(
        "ip_fqdn", "IP address or DNS name of the backend.",
        {.min = 1, .max = 253, .format = "host", .search = true, .example = "\"10.0.1.100\""}),
    field<&Service::collection>(
        "collection", "Group of services that mappings can name as one.",
        {.min = 1, .max = 50, .format = "name", .filter = true, .example = "\"web-services\""}),
    field<&Service::cluster_id>(
        "cluster_id", "Cluster it belongs to.",
        {.mode = Mode::Fixed, .min = 1, .references = "cluster", .filter = true, .example = "1"}),
    field<&Service::auth_type>("auth_type", "How callers prove to be this service."),
    field<&Service::auth_config>("auth_config", "Settings of auth_type."),
    field<&Service::tls>("tls", "TLS from the proxy to the service."),
    field<&Service::health_check>("health_check", "Active health checks; none unless set."),
    field<&Service::endpoints>("endpoints", "Addresses to balance over, instead of ip_fqdn.",
                               {.max = 256}),
    field<&Service::port>("port", "Port of the backend, when it differs from the mapping's.",
                          {.min = 1, .max = 65535}),
    field<&Service::protocol>("protocol",
                              "HTTP version spoken to the backend; auto follows TLS ALPN."),
    field<&Service::status>("status", "Whether proxies hold it.",
                            {.mode = Mode::Server, .kept = Kept::Computed}),
    field<&Service::created_at>("created_at", "When it was made.",
                                {.mode = Mode::Server, .sort = true}),
    field<&Service::updated_at>("updated_at", "When it last changed.",
                                {.mode = Mode::Server, .sort = true}),
    field<&Service::revision>("revision", "Counts its changes; the ETag.", {.mode = Mode::Hidden}),
    field<&Service::secret>("secret", "JWT secret or API key, sealed.", {.mode = Mode::Hidden}),
    field<&Service::previous_secret>("previous_secret", "The one before, sealed.",
                                     {.mode = Mode::Hidden}),
    field<&Service::previous_secret_until>("previous_secret_until", "When the one before ends.",
                                           {.mode = Mode::Hidden}),
};

// auth_config fits auth_type; a probe times out before the next; no service is called `any`.
void check_service(const void* object, Violations& violations);

// A new auth_type drops the settings of the one before.
void settle_service(void* object, std::span<const std::string_view> changed);

// Puts the secret into auth_config, where an answer shows it.
void reveal_secret(Service& service);

template <>
inline constexpr Description describe<Service> =
    resource<Service>("service", "services", "A backend that proxies send traffic to.",
                      service_fields, check_service, settle_service);

}  // namespace mp
