#include "api/bootstrap.hpp"

#include "api/context.hpp"
#include "api/yaml.hpp"

#include <boost/json.hpp>

namespace mp::api {
namespace {

namespace json = boost::json;

constexpr std::string_view xds_cluster = "marchproxy_xds";

struct HostPort {
  std::string host;  // without brackets
  int port = 0;
};

HostPort split(const std::string& text, int default_port) {
  const auto bracket = text.rfind(']');
  const auto colon = text.rfind(':');
  const bool has_port = colon != std::string::npos &&
                        (bracket == std::string::npos ? text.find(':') == colon : colon > bracket);
  HostPort parts{has_port ? text.substr(0, colon) : text,
                 has_port ? std::atoi(text.c_str() + colon + 1) : default_port};
  if (parts.host.starts_with('[') && parts.host.ends_with(']'))
    parts.host = parts.host.substr(1, parts.host.size() - 2);
  return parts;
}

HostPort xds_host(const Call& call) {
  const std::string& advertised = call.context.settings.xds.advertise;
  if (!advertised.empty()) return split(advertised, call.context.xds_port);
  const std::string host(call.request.header("Host"));
  HostPort parts = split(host.empty() ? "127.0.0.1" : host, 0);
  parts.port = call.context.xds_port;
  return parts;
}

json::object socket_address(const HostPort& target) {
  return {{"socket_address", json::object{{"address", target.host}, {"port_value", target.port}}}};
}

// TLS to a server whose certificate must come from `trusted_ca` and name `host`.
json::object tls_socket(json::object trusted_ca, std::string_view host) {
  const bool address = normal_address(host).has_value();
  json::object validation{{"trusted_ca", std::move(trusted_ca)},
                          {"match_typed_subject_alt_names",
                           json::array{json::object{{"san_type", address ? "IP_ADDRESS" : "DNS"},
                                                    {"matcher", json::object{{"exact", host}}}}}}};
  return {
      {"name", "envoy.transport_sockets.tls"},
      {"typed_config",
       json::object{
           {"@type",
            "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"},
           {"sni", address ? "" : host},
           {"common_tls_context", json::object{{"validation_context", std::move(validation)}}}}}};
}

// The manager's authority vouches for the server's certificate; the name in it does not depend on
// how a proxy reaches the manager.
json::object own_tls_socket(const Context& context) {
  return tls_socket({{"inline_string", context.authority.certificates_pem()}}, xds_server_name);
}

// With a certificate from files the proxy trusts what the machine trusts, for the name it connects
// to.
json::object public_tls_socket(const std::string& host) {
  return tls_socket({{"filename", "/etc/ssl/certs/ca-certificates.crt"}}, host);
}

json::object control_plane(const Call& call) {
  const HostPort target = xds_host(call);
  const json::object http2{
      {"explicit_http_config",
       json::object{{"http2_protocol_options",
                     json::object{{"connection_keepalive",
                                   json::object{{"interval", "30s"}, {"timeout", "10s"}}}}}}},
      {"@type", "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"}};
  const json::object endpoint{{"endpoint", json::object{{"address", socket_address(target)}}}};
  json::object cluster{
      {"name", xds_cluster},
      {"type", normal_address(target.host) ? "STATIC" : "STRICT_DNS"},
      {"connect_timeout", "5s"},
      {"typed_extension_protocol_options",
       json::object{{"envoy.extensions.upstreams.http.v3.HttpProtocolOptions", http2}}},
      {"load_assignment",
       json::object{
           {"cluster_name", xds_cluster},
           {"endpoints", json::array{json::object{{"lb_endpoints", json::array{endpoint}}}}}}}};
  switch (call.context.settings.xds.tls) {
    case XdsTls::Auto: cluster["transport_socket"] = own_tls_socket(call.context); break;
    case XdsTls::Files: cluster["transport_socket"] = public_tls_socket(target.host); break;
    case XdsTls::Off: break;
  }
  return cluster;
}

json::object bootstrap(const Call& call, const Proxy& proxy, std::string_view key, int admin_port) {
  const json::object ads{{"ads", json::object()}, {"resource_api_version", "V3"}};
  json::object document{
      {"node",
       json::object{{"id", proxy.id},
                    {"cluster", call.caller.cluster->name},
                    {"metadata",
                     json::object{{"proxy_type",
                                   names_of<ProxyKind>[static_cast<std::size_t>(proxy.proxy_type)]},
                                  {"listen_address", proxy.listen_address}}}}},
      {"dynamic_resources",
       json::object{
           {"ads_config",
            json::object{
                {"api_type", "DELTA_GRPC"},
                {"transport_api_version", "V3"},
                {"set_node_on_first_message_only", true},
                {"grpc_services",
                 json::array{json::object{
                     {"envoy_grpc", json::object{{"cluster_name", xds_cluster}}},
                     {"initial_metadata",
                      json::array{json::object{{"key", "x-cluster-api-key"}, {"value", key}}}}}}}}},
           {"lds_config", ads},
           {"cds_config", ads}}},
      {"static_resources", json::object{{"clusters", json::array{control_plane(call)}}}}};
  if (admin_port != 0) document["admin"] = {{"address", socket_address({"127.0.0.1", admin_port})}};
  return document;
}

}  // namespace

std::string xds_address(const Call& call) {
  const HostPort target = xds_host(call);
  const bool bracketed = target.host.find(':') != std::string::npos;
  return (bracketed ? "[" + target.host + "]" : target.host) + ":" + std::to_string(target.port);
}

Document bootstrap_document(const Call& call, const Proxy& proxy, std::string_view key,
                            const BootstrapQuery& query) {
  const json::object document = bootstrap(call, proxy, key, query.admin_port);
  if (query.format == BootstrapQuery::Format::Json)
    return {"application/json", json::serialize(document)};
  return {"application/yaml", yaml_text(document)};
}

}  // namespace mp::api
