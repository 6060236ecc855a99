#include "xds/address.hpp"

#include "base/utf8.hpp"
#include "model/format.hpp"

namespace mp::xds {

bool is_literal(std::string_view host) { return normal_address(host).has_value(); }

std::string domain_of(std::string_view host) {
  if (is_ipv6(host)) return "[" + std::string(host) + "]";
  return ascii_lower(host);
}

unsigned prefix_length(std::string_view literal) { return is_ipv6(literal) ? 128 : 32; }

std::vector<Target> targets_of(const Service& service, int mapped_port) {
  const int port = service.port.value_or(mapped_port);
  if (service.endpoints.empty()) return {{.host = service.ip_fqdn, .port = port}};
  std::vector<Target> targets;
  targets.reserve(service.endpoints.size());
  for (const ServiceEndpoint& endpoint : service.endpoints) {
    targets.push_back({.host = endpoint.address,
                       .port = endpoint.port.value_or(port),
                       .weight = static_cast<unsigned>(endpoint.weight)});
  }
  return targets;
}

std::vector<std::string> hosts_of(const Service& service) {
  std::vector<std::string> hosts;
  for (Target& target : targets_of(service, 0)) hosts.push_back(std::move(target.host));
  return hosts;
}

bool is_literal(const Service& service) {
  if (service.endpoints.empty()) return is_literal(service.ip_fqdn);
  return std::ranges::all_of(service.endpoints,
                             [](const auto& endpoint) { return is_literal(endpoint.address); });
}

}  // namespace mp::xds
