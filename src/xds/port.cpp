#include "xds/port.hpp"

#include "xds/listener.hpp"

namespace mp::xds {
namespace {

Shelf& shelf(Shelves& shelves, Type type) { return shelves[static_cast<std::size_t>(type)]; }

}  // namespace

void Port::count_in(const Mapping& mapping, bool by_path) {
  ++mappings_[{mapping.priority, mapping.id}];
  if (by_path) ++by_path_;
}

void Port::count_out(const Mapping& mapping, bool by_path) {
  const auto at = mappings_.find({mapping.priority, mapping.id});
  if (--at->second == 0) mappings_.erase(at);
  if (by_path) --by_path_;
}

void Port::add(const HttpClaim& claim) {
  domains_[claim.domain].claims.insert(&claim);
  touched_.insert(claim.domain);
  count_in(*claim.mapping, claim.mapping->path_prefix != "/");
}

void Port::remove(const HttpClaim& claim) {
  domains_[claim.domain].claims.erase(&claim);
  touched_.insert(claim.domain);
  count_out(*claim.mapping, claim.mapping->path_prefix != "/");
}

void Port::add(const StreamClaim& claim) {
  streams_.insert(&claim);
  count_in(*claim.mapping, false);
}

void Port::remove(const StreamClaim& claim) {
  streams_.erase(&claim);
  count_out(*claim.mapping, false);
}

void Port::remake(Shelves& shelves, Tally& findings) {
  const bool joint =
      audience_.flavour == Flavour::StateOfTheWorld ||
      std::ranges::any_of(touched_, [](const auto& name) { return is_wildcard(name); });
  const bool any = !touched_.empty();
  for (const std::string& name : touched_) remake_domain(name, shelves, findings);
  touched_.clear();
  if (any && joint) remake_joint(shelves);
  remake_listener(shelves, findings);
}

void Port::remake_domain(const std::string& name, Shelves& shelves, Tally& findings) {
  const auto at = domains_.find(name);
  Domain& domain = at->second;
  const bool own_scope = audience_.flavour == Flavour::Delta && !is_wildcard(name);
  const HttpSettlement settlement = settle_http({domain.claims.begin(), domain.claims.end()});
  findings.replace(domain.findings, settlement.findings);
  if (domain.claims.empty()) {
    domains_.erase(at);
    if (own_scope) shelf(shelves, Type::ScopedRoute).put(scope_name(number_, name), nullptr);
    return;
  }
  domain.findings = settlement.findings;
  domain.host = make_virtual_host(name, settlement, audience_.flavour);
  if (own_scope)
    shelf(shelves, Type::ScopedRoute)
        .put(scope_name(number_, name), make_scope(number_, name, {&domain.host}));
}

// The resource that many domains share: all of them, or the wildcards.
void Port::remake_joint(Shelves& shelves) {
  const auto members = hosts();
  if (audience_.flavour == Flavour::StateOfTheWorld) {
    shelf(shelves, Type::Route)
        .put(routes_name(number_), members.empty() ? nullptr : make_routes(number_, members));
  } else {
    shelf(shelves, Type::ScopedRoute)
        .put(scope_name(number_, "*"),
             members.empty() ? nullptr : make_scope(number_, "*", members));
  }
}

std::vector<const VirtualHost*> Port::hosts() const {
  std::vector<const VirtualHost*> hosts;
  for (const auto& [name, domain] : domains_) {
    if (audience_.flavour == Flavour::StateOfTheWorld || is_wildcard(name))
      hosts.push_back(&domain.host);
  }
  return hosts;
}

void Port::remake_listener(Shelves& shelves, Tally& findings) {
  StreamSettlement streams = settle_streams({streams_.begin(), streams_.end()});
  findings.replace(stream_findings_, streams.findings);
  stream_findings_ = streams.findings;
  const Carrier carrier = transport_ == Transport::Udp ? Carrier::Udp : Carrier::Tcp;
  shelf(shelves, Type::Listener)
      .put(listener_name(carrier, number_), make_listener(std::move(streams)));
}

// A refusal of the listener is blamed on the first mapping of the port.
ResourcePtr Port::make_listener(StreamSettlement streams) const {
  std::vector<Object> origins;
  if (!mappings_.empty()) {
    const std::int64_t first = mappings_.begin()->first.second;
    origins.push_back({.type = "mapping", .id = first, .name = "mapping " + std::to_string(first)});
  }
  if (transport_ == Transport::Udp) {
    return make_udp_listener(
        audience_, {.port = number_, .streams = std::move(streams), .origins = std::move(origins)});
  }
  TcpPort port{.port = number_, .streams = std::move(streams), .origins = std::move(origins)};
  if (!domains_.empty()) port.http = by_path_ ? TcpPort::Http::ByPath : TcpPort::Http::WholeHosts;
  return make_tcp_listener(audience_, port);
}

}  // namespace mp::xds
