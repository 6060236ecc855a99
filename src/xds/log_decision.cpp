#include "xds/log_decision.hpp"

#include "xds/access_log.hpp"
#include "xds/address.hpp"
#include "xds/guard.hpp"

#include <google/protobuf/wrappers.pb.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace mp::xds {
namespace {

using envoy::data::accesslog::v3::AccessLogCommon;
using envoy::data::accesslog::v3::HTTPAccessLogEntry;
using envoy::data::accesslog::v3::TCPAccessLogEntry;
using google::protobuf::Struct;

constexpr std::string_view route_prefix = "mapping ", refused_by_token = "jwt_authn_access_denied";
constexpr std::string_view no_token = "Jwt is missing";
constexpr std::string_view no_credential = "no credential of an admitted caller";

std::int64_t number(std::string_view text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

const Struct* metadata(const AccessLogCommon& common, std::string_view filter) {
  const auto& all = common.metadata().filter_metadata();
  const auto found = all.find(std::string(filter));
  return found == all.end() ? nullptr : &found->second;
}

// In words of jwt_authn: "Jwt is missing".
std::string token_refusal(const HTTPAccessLogEntry& entry) {
  if (const Struct* given = metadata(entry.common_properties(), token_metadata)) {
    const auto refused = given->fields().find(std::string(refused_token));
    if (refused != given->fields().end()) {
      const auto& fields = refused->second.struct_value().fields();
      const auto message = fields.find("message");
      if (message != fields.end()) return message->second.string_value();
    }
  }
  return "";
}

const Service* find_service(const ClusterConfig& config, std::int64_t id) {
  return config.services.find(id).get();
}

std::string service_name(const ClusterConfig& config, std::int64_t id) {
  const Service* service = find_service(config, id);
  return service ? service->name : "service/" + std::to_string(id);
}

std::optional<Mark> chain_mark(const AccessLogCommon& common) {
  const auto found = common.filter_state_objects().find(std::string(chain_state));
  google::protobuf::StringValue text;
  if (found == common.filter_state_objects().end() || !found->second.UnpackTo(&text))
    return std::nullopt;
  return read_mark(text.value());
}

// spiffe://marchproxy/<cluster>/<service>
std::string caller_of(const AccessLogCommon& common) {
  const auto& certificate = common.tls_properties().peer_certificate_properties();
  for (const auto& name : certificate.subject_alt_name()) {
    if (!name.uri().empty()) return name.uri().substr(name.uri().rfind('/') + 1);
  }
  return "";
}

// No chain took it: Envoy knows neither mapping nor upstream.
bool turned_away(const TCPAccessLogEntry& entry) {
  const AccessLogCommon& common = entry.common_properties();
  return common.response_flags().no_route_found() && common.upstream_cluster().empty();
}

int port_of(const AccessLogCommon& common) {
  return static_cast<int>(common.downstream_local_address().socket_address().port_value());
}

bool leads_to(const Mapping& mapping, std::int64_t service, const ClusterConfig& config) {
  return std::ranges::any_of(mapping.dest_services, [&](const ServiceRef& ref) {
    if (ref.kind == ServiceRef::Kind::Service) return ref.service_id == service;
    const Service* row = find_service(config, service);
    return ref.kind == ServiceRef::Kind::Collection && row && row->collection == ref.name;
  });
}

const Mapping* find_mapping(const ClusterConfig& config, std::int64_t id) {
  return config.mappings.find(id).get();
}

// The host of a request, with any port and in any case, is the service's name or address.
bool goes_to(std::string_view host, const Service& service) {
  const auto is = [&](const std::string& domain) {
    if (host.size() < domain.size()) return false;
    const bool same =
        std::ranges::equal(host.substr(0, domain.size()), domain, [](char given, char wanted) {
          return std::tolower(static_cast<unsigned char>(given)) == wanted;
        });
    return same && (host.size() == domain.size() || host[domain.size()] == ':');
  };
  return is(domain_of(service.name)) || is(domain_of(service.ip_fqdn));
}

// The first mapping, as proxies count, that is for this port and leads there.
const Mapping* udp_mapping(const TCPAccessLogEntry& entry, const ClusterConfig& config) {
  const std::string upstream =
      metadata_text(entry.common_properties(), "udp.proxy.session", "cluster_name");
  std::string_view rest = upstream;
  const bool pool = rest.starts_with("mapping/");
  rest.remove_prefix(
      std::min(rest.size(), pool ? std::size_t{8} : std::string_view("service/").size()));
  const std::int64_t id = number(rest.substr(0, rest.find('/')));
  const int port = port_of(entry.common_properties());
  const Mapping* best = nullptr;
  for (const auto& mapping : config.mappings) {
    const bool datagrams =
        std::ranges::find(mapping->protocols, Protocol::Udp) != mapping->protocols.end();
    if (!mapping->enabled || !datagrams) continue;
    if (pool ? mapping->id != id : !leads_to(*mapping, id, config)) continue;
    if (!std::ranges::binary_search(all_ports(*mapping), port)) continue;
    if (!best || mapping->priority < best->priority) best = mapping.get();
  }
  return best;
}

Parties sources_of(const Mapping& mapping, const ClusterConfig& config) {
  Parties parties;
  for (const auto& service : config.services) {
    const bool named = std::ranges::any_of(mapping.source_services, [&](const ServiceRef& ref) {
      if (ref.kind == ServiceRef::Kind::Service) return ref.service_id == service->id;
      return ref.kind == ServiceRef::Kind::Collection && ref.name == service->collection;
    });
    if (named) parties.push_back(std::make_shared<const Party>(Party{service, false}));
  }
  return parties;
}

std::optional<Decision> udp_decision(const TCPAccessLogEntry& entry, const ClusterConfig& config) {
  const Mapping* mapping = udp_mapping(entry, config);
  if (!mapping) return std::nullopt;
  if (judge(*mapping, sources_of(*mapping, config), {}, Carrier::Udp).guard.open())
    return std::nullopt;
  return Decision{.allowed = true, .proof = Mark::Proof::Address};
}

}  // namespace

std::string metadata_text(const AccessLogCommon& common, std::string_view filter,
                          std::string_view key) {
  const Struct* given = metadata(common, filter);
  if (!given) return "";
  const auto found = given->fields().find(std::string(key));
  return found == given->fields().end() ? "" : found->second.string_value();
}

bool is_udp(const TCPAccessLogEntry& entry) {
  const auto& address = entry.common_properties().downstream_local_address().socket_address();
  return address.protocol() == envoy::config::core::v3::SocketAddress::UDP ||
         metadata(entry.common_properties(), "udp.proxy.session");
}

std::string service_of(const Destination& destination, const ClusterConfig& config) {
  constexpr std::string_view prefix = "service/";
  const std::string_view upstream = destination.upstream;
  if (upstream.starts_with(prefix))
    return service_name(config, number(upstream.substr(prefix.size())));
  const Mapping* mapping = upstream.empty() ? find_mapping(config, destination.mapping) : nullptr;
  if (!mapping) return "";
  const Service* only = nullptr;
  int candidates = 0;
  for (const auto& service : config.services) {
    if (!leads_to(*mapping, service->id, config)) continue;
    if (goes_to(destination.host, *service)) return service->name;
    only = service.get();
    ++candidates;
  }
  return candidates == 1 ? only->name : "";
}

std::int64_t mapping_of(const HTTPAccessLogEntry& entry) {
  const AccessLogCommon& common = entry.common_properties();
  if (const auto mark = read_mark(metadata_text(common, decision_metadata, decision_policy)))
    return mark->mapping;
  const std::string_view route = common.route_name();
  return route.starts_with(route_prefix) ? number(route.substr(route_prefix.size())) : 0;
}

std::int64_t mapping_of(const TCPAccessLogEntry& entry, const ClusterConfig& config) {
  if (const auto mark = chain_mark(entry.common_properties())) return mark->mapping;
  if (!is_udp(entry)) return 0;
  const Mapping* mapping = udp_mapping(entry, config);
  return mapping ? mapping->id : 0;
}

std::optional<Decision> decision_of(const HTTPAccessLogEntry& entry, const ClusterConfig& config) {
  const AccessLogCommon& common = entry.common_properties();
  const std::string result = metadata_text(common, decision_metadata, decision_result);
  if (result == "allowed") {
    const auto mark = read_mark(metadata_text(common, decision_metadata, decision_policy));
    if (!mark || mark->proof == Mark::Proof::None) return std::nullopt;
    Decision decision{.allowed = true, .proof = mark->proof};
    if (mark->service != 0) decision.caller = service_name(config, mark->service);
    return decision;
  }
  const std::string refusal = token_refusal(entry);
  if (entry.response().response_code_details().starts_with(refused_by_token))
    return Decision{.reason = refusal.empty() ? std::string(no_credential) : refusal};
  if (result != "denied") return std::nullopt;
  // Where a token is one way among others, that there is none says nothing.
  const bool telling = !refusal.empty() && refusal != no_token;
  return Decision{.reason = std::string(no_credential) + (telling ? "; " + refusal : "")};
}

std::optional<Decision> decision_of(const TCPAccessLogEntry& entry, const ClusterConfig& config) {
  const AccessLogCommon& common = entry.common_properties();
  if (turned_away(entry)) return Decision{.reason = "the source address is not admitted"};
  if (is_udp(entry)) return udp_decision(entry, config);
  const auto mark = chain_mark(common);
  if (!mark || mark->proof == Mark::Proof::None) return std::nullopt;
  if (mark->proof == Mark::Proof::Address) return Decision{.allowed = true, .proof = mark->proof};
  const std::string caller = caller_of(common);
  const std::string& failure = common.downstream_transport_failure_reason();
  if (caller.empty() || !failure.empty()) {
    // What a certificate that was not accepted says of itself proves nothing.
    return Decision{.proof = mark->proof,
                    .reason = failure.empty() ? "no client certificate" : failure};
  }
  return Decision{.allowed = true, .proof = mark->proof, .caller = caller};
}

}  // namespace mp::xds
