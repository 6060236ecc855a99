#include "api/bootstrap.hpp"
#include "api/configuration.hpp"
#include "api/context.hpp"
#include "api/fleet.hpp"
#include "api/nouns.hpp"

namespace mp::api {
namespace {

// Community has eBPF and mutual TLS; the licence opens the rest.
std::vector<Capability> enabled(std::vector<Capability> capabilities,
                                const LicenseFeatures& features) {
  std::erase_if(capabilities, [&](Capability each) {
    const bool everybody = each == Capability::Ebpf || each == Capability::Mtls;
    return !everybody && !features.advanced_acceleration;
  });
  return capabilities;
}

// Proxies register when they start, all at once after a power cut: no write when nothing changed
// would be wrong, since registering also shows that the proxy is there.
Created<Registered> register_proxy(Call& call, Lenient<Registration> body) {
  return write<Created<Registered>>(call, [&](Writer& db) {
    const Proxy proxy = enrol(db, call.context,
                              {.registration = body.value, .cluster_id = call.caller.cluster->id});
    return Created<Registered>{
        {.proxy_id = proxy.id,
         .cluster_id = proxy.cluster_id,
         .config_endpoint = "/api/v1/config/" + std::to_string(proxy.cluster_id),
         .heartbeat_interval = call.context.settings.proxy.heartbeat_interval,
         .xds = {.address = xds_address(call),
                 .node_id = proxy.id,
                 .node_cluster = call.caller.cluster->name},
         .enabled_capabilities = enabled(proxy.capabilities, call.context.license.now().features)}};
  });
}

Proxy own_proxy(Reader& db, const Call& call, const std::string& id) {
  auto proxy = db.find<Proxy>(id);
  if (!proxy || proxy->cluster_id != call.caller.cluster->id) throw not_found("proxy");
  return *std::move(proxy);
}

Done heartbeat(Call& call, Lenient<Heartbeat> body) {
  call.context.store.write(call.actor(), [&](Writer& db) {
    Proxy proxy = own_proxy(db, call, body.value.proxy_id);
    proxy.status = static_cast<Health>(*body.value.status);
    proxy.metrics = body.value.metrics;
    proxy.last_seen = db.now();
    db.update(proxy, Logged::No);
  });
  return {"Heartbeat received"};
}

ProxyConfiguration get_configuration(Call& call, Id<Cluster> id) {
  if (call.caller.cluster->id != id.value) throw not_found("cluster");
  ProxyConfiguration configuration;
  call.read([&](Reader& db) {
    configuration = load_configuration(db, id.value, call.context.clock.now());
  });
  call.etag = configuration.version;
  return configuration;
}

std::string_view shown_key(const Call& call) {
  const std::string_view key = call.request.header("X-Cluster-API-Key");
  return key.empty() ? call.request.header("X-API-Key") : key;
}

Document get_bootstrap(Call& call, Query<BootstrapQuery> query) {
  Proxy proxy;
  call.read([&](Reader& db) { proxy = own_proxy(db, call, query.value.proxy_id); });
  return bootstrap_document(call, proxy, shown_key(call), query.value);
}

Document get_grpc_bootstrap(Call& call, Query<GrpcBootstrapQuery> query) {
  return grpc_bootstrap_document(call, shown_key(call), query.value);
}

}  // namespace

void enrolment(Endpoints& endpoints) {
  endpoints.add(
      {.id = "register_proxy",
       .call = "POST /proxy/register",
       .summary = "Register a proxy; the same cluster, hostname and type is the same proxy.",
       .needs = Needs::ClusterKey,
       .rate = Rate::Configuration,
       .errors = {Code::Feature}},
      register_proxy);
  endpoints.add({.id = "heartbeat",
                 .call = "POST /proxy/heartbeat",
                 .summary = "Report health and figures.",
                 .needs = Needs::ClusterKey,
                 .rate = Rate::Unlimited,
                 .errors = {Code::NotFound},
                 .effect = Effect::Nothing},
                heartbeat);
  endpoints.add({.id = "get_configuration",
                 .call = "GET /config/{id}",
                 .summary = "The configuration of a cluster, for proxies that are not Envoy.",
                 .needs = Needs::ClusterKey,
                 .rate = Rate::Configuration,
                 .headers = {"ETag"}},
                get_configuration);
  endpoints.add_document({.id = "get_bootstrap",
                          .call = "GET /proxy/bootstrap",
                          .summary = "A complete Envoy bootstrap for a registered proxy.",
                          .needs = Needs::ClusterKey,
                          .rate = Rate::Configuration,
                          .errors = {Code::NotFound},
                          .example = R"({"node": {"id": "proxy-abc123", "cluster": "default"},
                              "dynamic_resources": {"lds_config": {"ads": {}}}})"},
                         "application/yaml, application/json", get_bootstrap);
  endpoints.add_document(
      {.id = "get_grpc_bootstrap",
       .call = "GET /proxy/grpc-bootstrap",
       .summary = "A complete bootstrap for gRPC clients that call services without a proxy.",
       .needs = Needs::ClusterKey,
       .rate = Rate::Configuration,
       .example = R"({"node": {"id": "checkout", "cluster": "default"},
           "xds_servers": [{"server_uri": "manager.company.com:18000",
                            "server_features": ["xds_v3"]}]})"},
      "application/json", get_grpc_bootstrap);
}

}  // namespace mp::api
