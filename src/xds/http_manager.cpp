#include "xds/http_manager.hpp"

#include "xds/access_log.hpp"
#include "xds/admission.hpp"
#include "xds/denial.hpp"
#include "xds/encode.hpp"
#include "xds/route.hpp"
#include "xds/scope.hpp"

#include "envoy/extensions/filters/http/router/v3/router.pb.h"

namespace mp::xds {
namespace {

using envoy::config::core::v3::ApiVersion;
using envoy::extensions::filters::http::router::v3::Router;
using envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;

constexpr int headers_timeout = 10, stream_idle = 300, connection_idle = 3600;  // seconds
constexpr unsigned most_streams = 100, stream_window = 65536,
                   connection_window = 1048576;  // HTTP/2

// Slow clients and floods: the values of Envoy's advice for edge proxies.
void set_limits(HttpConnectionManager& manager) {
  manager.mutable_request_headers_timeout()->set_seconds(headers_timeout);
  manager.mutable_stream_idle_timeout()->set_seconds(stream_idle);
  manager.mutable_common_http_protocol_options()->mutable_idle_timeout()->set_seconds(
      connection_idle);
  auto& http2 = *manager.mutable_http2_protocol_options();
  http2.mutable_max_concurrent_streams()->set_value(most_streams);
  http2.mutable_initial_stream_window_size()->set_value(stream_window);
  http2.mutable_initial_connection_window_size()->set_value(connection_window);
  http2.set_allow_connect(true);
  manager.mutable_http_protocol_options()->set_accept_http_10(true);
}

// The peer's address is the client's: headers that claim another are not believed, and x-envoy-*
// headers are taken from nobody. Neither side sees that Envoy is between. An empty list of internal
// addresses would mean all private ones; no peer has the address 0.0.0.0.
void set_trust(HttpConnectionManager& manager) {
  manager.mutable_use_remote_address()->set_value(true);
  auto& internal = *manager.mutable_internal_address_config()->add_cidr_ranges();
  internal.set_address_prefix("0.0.0.0");
  internal.mutable_prefix_len()->set_value(32);
  manager.set_server_header_transformation(HttpConnectionManager::PASS_THROUGH);
  manager.set_preserve_external_request_id(true);
}

// Who may pass depends on the path where a mapping has a path_prefix; then a path that the service
// may read in another way than Envoy does is refused. Elsewhere %2F is the services' own affair.
void set_paths(HttpConnectionManager& manager, TcpPort::Http paths) {
  manager.mutable_normalize_path()->set_value(true);
  manager.set_path_with_escaped_slashes_action(paths == TcpPort::Http::ByPath
                                                   ? HttpConnectionManager::REJECT_REQUEST
                                                   : HttpConnectionManager::KEEP_UNCHANGED);
}

// Off unless a route allows it.
void forbid_upgrades(HttpConnectionManager& manager) {
  auto& upgrade = *manager.add_upgrade_configs();
  upgrade.set_upgrade_type("websocket");
  upgrade.mutable_enabled()->set_value(false);
}

void set_routes(HttpConnectionManager& manager, const std::string& routes, Flavour flavour) {
  if (flavour == Flavour::Delta) {
    route_by_scope(manager, routes);
    return;
  }
  manager.mutable_rds()->set_route_config_name(routes);
  auto& source = *manager.mutable_rds()->mutable_config_source();
  source.mutable_ads();
  source.set_resource_api_version(ApiVersion::V3);
}

void add_router(HttpConnectionManager& manager) {
  Router router;
  router.set_suppress_envoy_headers(true);
  auto& filter = *manager.add_http_filters();
  filter.set_name("envoy.filters.http.router");
  *filter.mutable_typed_config() = pack(router);
}

}  // namespace

HttpConnectionManager make_http_manager(const TcpPort& port, Security security,
                                        const Audience& audience) {
  const bool tls = security == Security::Tls;
  HttpConnectionManager manager;
  manager.set_stat_prefix((tls ? "https_" : "http_") + std::to_string(port.port));
  set_limits(manager);
  set_trust(manager);
  set_paths(manager, tls ? port.https : port.http);
  forbid_upgrades(manager);
  set_routes(manager, routes_name(port.port, security), audience.flavour);
  if (audience.flavour == Flavour::Delta)
    add_admission_filters(manager);
  else
    add_admission_filters(manager, tls ? port.https_tokens : port.http_tokens);
  add_denials(manager);
  add_router(manager);
  log_requests(*manager.mutable_access_log(), audience.logging);
  return manager;
}

}  // namespace mp::xds
