#include "api/configuration.hpp"

#include "base/secret.hpp"
#include "xds/load.hpp"

#include <boost/json.hpp>

namespace mp::api {
namespace {

Service with_secrets(Service service, Time now) {
  reveal_secret(service);
  if (service.previous_secret && service.previous_secret_until &&
      *service.previous_secret_until > now) {
    service.auth_config.previous_secret = service.previous_secret;
    service.auth_config.previous_secret_until = service.previous_secret_until;
  }
  return service;
}

}  // namespace

ProxyConfiguration load_configuration(Reader& db, std::int64_t cluster_id, Time now) {
  const auto config = xds::load_config(db, cluster_id);
  if (!config) throw not_found("cluster");
  const Cluster& cluster = *config->cluster;
  ProxyConfiguration configuration{.cluster = {.id = cluster.id,
                                               .name = cluster.name,
                                               .syslog_endpoint = cluster.syslog_endpoint,
                                               .log_auth = cluster.log_auth,
                                               .log_netflow = cluster.log_netflow,
                                               .log_debug = cluster.log_debug}};
  for (const auto& service : config->services)
    configuration.services.push_back(with_secrets(*service, now));
  for (const auto& mapping : config->mappings) configuration.mappings.push_back(*mapping);
  for (const auto& certificate : config->certificates) {
    if (!is_delivered_at(*certificate, now)) continue;
    configuration.certificates.push_back({.id = certificate->id,
                                          .name = certificate->name,
                                          .cert_data = certificate->cert_pem,
                                          .key_data = certificate->key_pem,
                                          .ca_data = certificate->ca_pem});
  }
  const auto content = to_json(describe<ProxyConfiguration>, &configuration);
  configuration.version = sha256_hex(boost::json::serialize(content)).substr(0, 32);
  return configuration;
}

}  // namespace mp::api
