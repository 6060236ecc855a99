#include "api/bootstrap.hpp"

#include "api/context.hpp"
#include "api/yaml.hpp"
#include "base/client_certificate.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace mp::api {
namespace {

namespace json = boost::json;

constexpr std::string_view xds_cluster = xds::control_plane_cluster;
constexpr std::string_view key_header = "x-cluster-api-key";

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

std::vector<HostPort> xds_hosts(const Call& call) {
  std::vector<HostPort> hosts;
  hosts.reserve(call.context.settings.xds.advertise.size());
  for (const std::string& address : call.context.settings.xds.advertise)
    hosts.push_back(split(address, call.context.xds_port));
  if (!hosts.empty()) return hosts;
  const std::string host(call.request.header("Host"));
  HostPort parts = split(host.empty() ? "127.0.0.1" : host, 0);
  parts.port = call.context.xds_port;
  return {parts};
}

json::object socket_address(const HostPort& target) {
  return {{"socket_address", json::object{{"address", target.host}, {"port_value", target.port}}}};
}

// Files on the machine of who connects.
struct OwnCertificate {
  std::optional<std::string> certificate_file;
  std::optional<std::string> key_file;
  std::optional<std::string> secret_file = std::nullopt;
};

OwnCertificate own_certificate(const BootstrapQuery& query) {
  return {query.certificate_file, query.key_file, query.secret_file};
}

// Nobody gets a bootstrap that the xDS port would turn away.
void check(const OwnCertificate& own, const XdsSettings& xds) {
  if (own.secret_file && (own.certificate_file || own.key_file))
    throw invalid("secret_file", "Stands for certificate_file and key_file: not with them");
  if (!xds.client_ca.empty() && !own.certificate_file && !own.secret_file)
    throw invalid("certificate_file", "Is required: the xDS port asks for a client certificate");
  if (own.certificate_file && !own.key_file)
    throw invalid("key_file", "Is required with certificate_file");
  if (own.key_file && !own.certificate_file)
    throw invalid("certificate_file", "Is required with key_file");
}

// In the bootstrap itself Envoy would read the files only when it starts.
json::object by_secret(const std::string& file) {
  return {{"name", client_certificate_secret},
          {"sds_config", json::object{{"path_config_source", json::object{{"path", file}}},
                                      {"resource_api_version", "V3"}}}};
}

void show(const OwnCertificate& own, json::object& common) {
  const auto file = [](const std::string& name) { return json::object{{"filename", name}}; };
  if (own.secret_file) {
    common["tls_certificate_sds_secret_configs"] = json::array{by_secret(*own.secret_file)};
  } else if (own.certificate_file) {
    common["tls_certificates"] = json::array{json::object{
        {"certificate_chain", file(*own.certificate_file)}, {"private_key", file(*own.key_file)}}};
  }
}

// TLS to servers whose certificate must come from `trusted_ca` and have one of the names.
json::object tls_socket(json::object trusted_ca, const std::vector<std::string>& names,
                        const OwnCertificate& own) {
  json::array matchers;
  for (const std::string& name : names) {
    const bool address = normal_address(name).has_value();
    matchers.push_back(json::object{{"san_type", address ? "IP_ADDRESS" : "DNS"},
                                    {"matcher", json::object{{"exact", name}}}});
  }
  json::object validation{{"trusted_ca", std::move(trusted_ca)},
                          {"match_typed_subject_alt_names", std::move(matchers)}};
  // Of several servers the name is that of the one which is connected to.
  const bool one = names.size() == 1;
  const std::string sni = one && !normal_address(names.front()) ? names.front() : "";
  json::object common{{"validation_context", std::move(validation)}};
  show(own, common);
  json::object context{
      {"@type", "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"},
      {"sni", sni},
      {"common_tls_context", std::move(common)}};
  if (!one) context["auto_host_sni"] = true;
  return {{"name", "envoy.transport_sockets.tls"}, {"typed_config", std::move(context)}};
}

// The manager's authority vouches for the server's certificate; the name in it does not depend on
// how a proxy reaches the manager.
json::object own_tls_socket(const Context& context, const OwnCertificate& own) {
  return tls_socket({{"inline_string", context.authority.certificates_pem()}},
                    {std::string(xds_server_name)}, own);
}

// With certificates from files the proxy trusts what the machine trusts, or a file of its own, for
// the names it connects to.
json::object public_tls_socket(const std::vector<HostPort>& hosts, const std::string& ca_file,
                               const OwnCertificate& own) {
  std::vector<std::string> names;
  names.reserve(hosts.size());
  for (const HostPort& each : hosts) names.push_back(each.host);
  return tls_socket({{"filename", ca_file}}, names, own);
}

json::array endpoints(const std::vector<HostPort>& hosts) {
  json::array made;
  for (const HostPort& each : hosts) {
    json::object endpoint{{"address", socket_address(each)}};
    if (hosts.size() > 1 && !normal_address(each.host)) endpoint["hostname"] = each.host;
    made.push_back(json::object{{"endpoint", std::move(endpoint)}});
  }
  return made;
}

// Every call to the manager brings the key, access logs too: what proxies are told later then need
// not contain it (decision 0042).
json::array with_key(std::string_view key) {
  const json::object mutation{
      {"append", json::object{{"header", json::object{{"key", key_header}, {"value", key}}},
                              {"append_action", "ADD_IF_ABSENT"}}}};
  return {json::object{
              {"name", "marchproxy.key"},
              {"typed_config",
               json::object{
                   {"@type",
                    "type.googleapis.com/"
                    "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation"},
                   {"mutations", json::object{{"request_mutations", json::array{mutation}}}}}}},
          json::object{
              {"name", "envoy.filters.http.upstream_codec"},
              {"typed_config",
               json::object{{"@type",
                             "type.googleapis.com/"
                             "envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec"}}}}};
}

// Of several managers Envoy takes one for its stream, and another when that one is lost.
json::object control_plane(const Call& call, std::string_view key, const BootstrapQuery& query) {
  const std::vector<HostPort> hosts = xds_hosts(call);
  const bool addresses = std::ranges::all_of(
      hosts, [](const HostPort& each) { return normal_address(each.host).has_value(); });
  const json::object http2{
      {"http_filters", with_key(key)},
      {"explicit_http_config",
       json::object{{"http2_protocol_options",
                     json::object{{"connection_keepalive",
                                   json::object{{"interval", "30s"}, {"timeout", "10s"}}}}}}},
      {"@type", "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"}};
  json::object cluster{
      {"name", xds_cluster},
      {"type", addresses ? "STATIC" : "STRICT_DNS"},
      {"connect_timeout", "5s"},
      {"typed_extension_protocol_options",
       json::object{{"envoy.extensions.upstreams.http.v3.HttpProtocolOptions", http2}}},
      {"load_assignment",
       json::object{{"cluster_name", xds_cluster},
                    {"endpoints", json::array{json::object{{"lb_endpoints", endpoints(hosts)}}}}}}};
  const OwnCertificate own = own_certificate(query);
  switch (call.context.settings.xds.tls) {
    case XdsTls::Auto: cluster["transport_socket"] = own_tls_socket(call.context, own); break;
    case XdsTls::Files:
      cluster["transport_socket"] = public_tls_socket(hosts, query.ca_file, own);
      break;
    case XdsTls::Off: break;
  }
  return cluster;
}

// Between two tries to get a stream, at random up to this: Envoy's own limit of 30 s would leave
// proxies without news long after the manager is back.
json::object reconnect_policy() {
  return {{"retry_back_off", json::object{{"base_interval", "0.5s"}, {"max_interval", "10s"}}}};
}

json::object bootstrap(const Call& call, const Proxy& proxy, std::string_view key,
                       const BootstrapQuery& query) {
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
            json::object{{"api_type", "DELTA_GRPC"},
                         {"transport_api_version", "V3"},
                         {"set_node_on_first_message_only", true},
                         {"grpc_services",
                          json::array{json::object{
                              {"envoy_grpc", json::object{{"cluster_name", xds_cluster},
                                                          {"retry_policy", reconnect_policy()}}},
                              {"initial_metadata",
                               json::array{json::object{{"key", key_header}, {"value", key}}}}}}}}},
           {"lds_config", ads},
           {"cds_config", ads}}},
      {"static_resources",
       json::object{{"clusters", json::array{control_plane(call, key, query)}}}}};
  if (query.admin_port != 0)
    document["admin"] = {{"address", socket_address({"127.0.0.1", query.admin_port})}};
  return document;
}

// The first kind that a client knows is taken. gRPC before 1.57 knows no "tls" (gRFC A65).
json::array channel_credentials(XdsTls tls, const GrpcBootstrapQuery& query) {
  if (tls == XdsTls::Off) return {{{"type", "insecure"}}};
  json::object config;
  if (tls == XdsTls::Auto) config["ca_certificate_file"] = query.ca_file;
  if (query.certificate_file) config["certificate_file"] = *query.certificate_file;
  if (query.key_file) config["private_key_file"] = *query.key_file;
  return {{{"type", "tls"}, {"config", std::move(config)}}};
}

}  // namespace

std::string xds_address(const Call& call) {
  const HostPort target = xds_hosts(call).front();
  const bool bracketed = target.host.find(':') != std::string::npos;
  return (bracketed ? "[" + target.host + "]" : target.host) + ":" + std::to_string(target.port);
}

Document bootstrap_document(const Call& call, const Proxy& proxy, std::string_view key,
                            const BootstrapQuery& query) {
  check(own_certificate(query), call.context.settings.xds);
  const json::object document = bootstrap(call, proxy, key, query);
  if (query.format == BootstrapQuery::Format::Json)
    return {"application/json", json::serialize(document)};
  return {"application/yaml", yaml_text(document)};
}

Document grpc_bootstrap_document(const Call& call, std::string_view key,
                                 const GrpcBootstrapQuery& query) {
  check({query.certificate_file, query.key_file}, call.context.settings.xds);
  const json::object server{
      {"server_uri", xds_address(call)},
      {"channel_creds", channel_credentials(call.context.settings.xds.tls, query)},
      {"server_features", json::array{"xds_v3"}}};
  const json::object document{
      {"xds_servers", json::array{server}},
      {"node", json::object{{"id", query.node_id},
                            {"cluster", call.caller.cluster->name},
                            {"locality", json::object()},  // grpc-js wants one
                            {"metadata",
                             json::object{{"proxy_type", "grpc"}, {"x-cluster-api-key", key}}}}}};
  return {"application/json", json::serialize(document)};
}

}  // namespace mp::api
