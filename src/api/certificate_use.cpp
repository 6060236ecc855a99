#include "api/certificate_use.hpp"

#include "xds/keyring.hpp"
#include "xds/load.hpp"

#include <algorithm>

namespace mp::api {
namespace {

bool is_tls(const Mapping& mapping) {
  return mapping.enabled && std::ranges::any_of(mapping.protocols, [](Protocol each) {
           return each == Protocol::Https || each == Protocol::Wss;
         });
}

bool names(const ServiceRef& reference, const Service& service) {
  return reference.kind == ServiceRef::Kind::Collection ? reference.name == service.collection
                                                        : reference.service_id == service.id;
}

// The hosts that a mapping answers to: its own, and the names of its destinations.
std::vector<std::string> hosts_of(const Mapping& mapping, const xds::ClusterConfig& config) {
  std::vector<std::string> hosts = mapping.hosts;
  for (const ServiceRef& reference : mapping.dest_services) {
    for (const auto& service : config.services) {
      if (!names(reference, *service)) continue;
      hosts.push_back(service->name);
      hosts.push_back(service->ip_fqdn);
    }
  }
  return hosts;
}

// The hosts among those that an answered one stands for which the certificate is good for.
std::vector<std::string> served_by(const Certificate& certificate, const std::string& host) {
  if (!host.starts_with("*"))
    return covers(certificate, host) ? std::vector{host} : std::vector<std::string>();
  std::vector<std::string> names;
  for (std::string& name : xds::names_of(certificate)) {
    if (xds::is_below(name, host)) names.push_back(std::move(name));
  }
  return names;
}

// Whether callers of a tcp mapping prove themselves by certificate, which takes a server with one.
bool has_certified_callers(const Mapping& mapping, const xds::ClusterConfig& config) {
  return mapping.enabled && mapping.auth_required &&
         std::ranges::find(mapping.protocols, Protocol::Tcp) != mapping.protocols.end() &&
         std::ranges::any_of(mapping.source_services, [&](const ServiceRef& source) {
           return std::ranges::any_of(config.services, [&](const auto& service) {
             return names(source, *service) && service->auth_type != AuthType::None;
           });
         });
}

void add_of_cluster(Reader& db, const Certificate& certificate, std::int64_t cluster_id, Time now,
                    std::vector<std::int64_t>& needing) {
  const auto config = xds::load_config(db, cluster_id);
  if (!config) return;
  const auto served_otherwise = [&](const std::string& host) {
    return std::ranges::any_of(config->certificates, [&](const auto& other) {
      return other->id != certificate.id && is_delivered_at(*other, now) && covers(*other, host);
    });
  };
  const auto serves = [&](const std::string& host) { return covers(certificate, host); };
  for (const auto& mapping : config->mappings) {
    const auto hosts = hosts_of(*mapping, *config);
    const bool needs_one_a_host =
        is_tls(*mapping) && std::ranges::any_of(hosts, [&](const auto& host) {
          return !std::ranges::all_of(served_by(certificate, host), served_otherwise);
        });
    // One for any of its destinations is enough here.
    const bool needs_one = has_certified_callers(*mapping, *config) &&
                           std::ranges::any_of(hosts, serves) &&
                           std::ranges::none_of(hosts, served_otherwise);
    if (needs_one_a_host || needs_one) needing.push_back(mapping->id);
  }
}

}  // namespace

std::vector<std::int64_t> mappings_that_need(Reader& db, const Certificate& certificate, Time now) {
  std::vector<std::int64_t> needing;
  if (!is_delivered_at(certificate, now)) return needing;
  if (certificate.cluster_id) {
    add_of_cluster(db, certificate, *certificate.cluster_id, now, needing);
  } else {
    for (const Row& row : db.query("SELECT id FROM clusters", {}, {Column::Integer}))
      add_of_cluster(db, certificate, std::get<std::int64_t>(row[0]), now, needing);
  }
  std::ranges::sort(needing);
  return needing;
}

}  // namespace mp::api
