#include "xds/build.hpp"

#include "xds/address.hpp"
#include "xds/dependents.hpp"
#include "xds/port.hpp"
#include "xds/secret.hpp"
#include "xds/upstream.hpp"
#include "xds/upstream_tls.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace mp::xds {
namespace {

bool is_tcp(const Mapping& mapping) {
  return std::ranges::find(mapping.protocols, Protocol::Tcp) != mapping.protocols.end();
}

// Of a TCP port: callers that no literal address names.
bool takes_rest(const Guard& guard) {
  return guard.addresses.empty() || !guard.certificates.empty();
}

}  // namespace

// What the last build made of each object, and from what.
struct Builder::Memory {
  using Mappings = Rows<Mapping, &Mapping::id>;

  struct UpstreamState {
    int users = 0;
    UpstreamPtr wanted;
    UpstreamPtr made;  // what the resources on the shelves were made of
    std::vector<Finding> findings;
    bool trusts_authority = false;
  };

  // What is not the same as in the last build.
  struct Changes {
    Directory::Changes services;
    Keyring::Changes keys;
  };

  explicit Memory(Audience given) : audience(std::move(given)) {}

  void add(const Plan& plan);
  void remove(const Plan& plan);
  void count(const Plan& plan, int step);
  std::vector<PlanPtr> replan(const ClusterConfig& config, const Changes& changes);
  void take_keys(const Keyring::Changes& changes);
  void take_issuers();
  void remake_upstream(const std::string& name);
  void trust_authority(UpstreamState& state, bool next);
  void remake_secret(std::int64_t certificate);
  void remake_authority();
  void remake();

  using PortKey = std::pair<Port::Transport, int>;
  Port& port(Port::Transport transport, int number) {
    touched_ports.emplace(transport, number);
    return ports.try_emplace({transport, number}, transport, number, audience).first->second;
  }
  Port& port_of(const HttpClaim& claim) { return port(Port::Transport::Tcp, claim.port); }
  Port& port_of(const CertificateClaim& claim) { return port(Port::Transport::Tcp, claim.port); }
  Port& port_of(const StreamClaim& claim) {
    return port(claim.carrier == Carrier::Udp ? Port::Transport::Udp : Port::Transport::Tcp,
                claim.port);
  }

  Audience audience;
  std::string cluster;  // its name
  Directory directory;
  Keyring keyring;
  Mappings mappings;                                // as they were last given
  std::unordered_map<std::int64_t, PlanPtr> plans;  // by mapping id
  Dependents dependents;                            // of plans
  std::map<std::string, UpstreamState> upstreams;
  std::map<PortKey, Port> ports;
  std::map<std::int64_t, int> certificates;  // by id: claims that need it
  int trusting = 0;                          // claims and upstreams that need the authorities
  std::vector<Finding> key_findings;
  std::set<std::string> touched_upstreams;
  std::set<std::int64_t> touched_certificates;
  bool touched_authority = false;
  std::set<PortKey> touched_ports;
  Tally findings;
  Shelves shelves;
};

// Who needs which secret.
void Builder::Memory::count(const Plan& plan, int step) {
  const auto take = [&](std::int64_t certificate) {
    touched_certificates.insert(certificate);
    if ((certificates[certificate] += step) == 0) certificates.erase(certificate);
  };
  for (const CertificateClaim& claim : plan.certificates) take(claim.certificate);
  for (const StreamClaim& claim : plan.streams) {
    if (!claim.certificate) continue;
    take(*claim.certificate);
    trusting += step;
    touched_authority = true;
  }
}

void Builder::Memory::add(const Plan& plan) {
  for (const HttpClaim& claim : plan.http) port_of(claim).add(claim);
  for (const StreamClaim& claim : plan.streams) port_of(claim).add(claim);
  for (const CertificateClaim& claim : plan.certificates) port_of(claim).add(claim);
  count(plan, 1);
  dependents.add(plan);
  for (const UpstreamPtr& upstream : plan.upstreams) {
    UpstreamState& state = upstreams[upstream->name];
    ++state.users;
    state.wanted = upstream;
    touched_upstreams.insert(upstream->name);
  }
  findings.replace({}, plan.findings);
}

void Builder::Memory::remove(const Plan& plan) {
  for (const HttpClaim& claim : plan.http) port_of(claim).remove(claim);
  for (const StreamClaim& claim : plan.streams) port_of(claim).remove(claim);
  for (const CertificateClaim& claim : plan.certificates) port_of(claim).remove(claim);
  count(plan, -1);
  dependents.remove(plan);
  for (const UpstreamPtr& upstream : plan.upstreams) {
    --upstreams[upstream->name].users;
    touched_upstreams.insert(upstream->name);
  }
  findings.replace(plan.findings, {});
}

// Brings the plans up to date: those whose mapping, or anything it names, is not what it was. Old
// plans leave before new ones come. The old plans are given back, to be kept until nothing points
// at their claims any more.
std::vector<PlanPtr> Builder::Memory::replan(const ClusterConfig& config, const Changes& changes) {
  auto concerned = dependents.of(changes.services, changes.keys);
  for (const auto& change : Mappings::difference(mappings, config.mappings))
    concerned.insert(change.key());
  mappings = config.mappings;
  std::vector<PlanPtr> gone, fresh;
  for (const std::int64_t id : concerned) {
    const auto old = plans.find(id);
    if (old != plans.end()) {
      gone.push_back(std::move(old->second));
      plans.erase(old);
    }
    const auto mapping = mappings.find(id);
    if (!mapping || !concerns(*mapping, audience.type)) continue;
    fresh.push_back(make_plan(mapping, {directory, keyring, cluster}));
    plans.emplace(id, fresh.back());
  }
  for (const PlanPtr& plan : gone) remove(*plan);
  for (const PlanPtr& plan : fresh) add(*plan);
  return gone;
}

void Builder::Memory::take_keys(const Keyring::Changes& changes) {
  touched_certificates.insert(changes.certificates.begin(), changes.certificates.end());
  if (changes.issuers) take_issuers();
  for (auto& [key, port] : ports) {
    for (const std::int64_t certificate : changes.certificates) {
      if (port.rename(certificate)) touched_ports.insert(key);
    }
  }
  if (changes.certificates.empty()) return;
  std::vector<Finding> next;
  for (const auto& [certificate, by] : keyring.replaced()) {
    next.push_back({object_of(*certificate), Condition::Shadowed,
                    "Certificate \"" + by->name + "\" is for the same names and began later"});
  }
  findings.replace(key_findings, next);
  key_findings = std::move(next);
}

// Services whose `tls` names authorities of their own may name ours.
void Builder::Memory::take_issuers() {
  touched_authority = true;
  for (auto& [name, state] : upstreams) {
    const bool by_authority = std::ranges::any_of(state.wanted->targets, [](const PartyPtr& party) {
      return !party->service->tls.ca_pem.empty();
    });
    if (!by_authority) continue;
    state.made = nullptr;
    touched_upstreams.insert(name);
  }
}

void Builder::Memory::trust_authority(UpstreamState& state, bool next) {
  if (state.trusts_authority == next) return;
  state.trusts_authority = next;
  trusting += next ? 1 : -1;
  touched_authority = true;
}

void Builder::Memory::remake_secret(std::int64_t certificate) {
  const CertificatePtr row =
      certificates.contains(certificate) ? keyring.find(certificate) : nullptr;
  shelf(shelves, Type::Secret)
      .put(certificate_secret(certificate), row ? make_certificate_secret(*row) : nullptr);
}

void Builder::Memory::remake_authority() {
  if (!std::exchange(touched_authority, false)) return;
  shelf(shelves, Type::Secret)
      .put(std::string(authority_secret),
           trusting > 0 ? make_authority_secret(keyring.issuers()) : nullptr);
}

void Builder::Memory::remake_upstream(const std::string& name) {
  const auto at = upstreams.find(name);
  UpstreamState& state = at->second;
  Shelf& clusters = shelves[static_cast<std::size_t>(Type::Cluster)];
  Shelf& endpoints = shelves[static_cast<std::size_t>(Type::Endpoint)];
  if (state.users == 0) {
    trust_authority(state, false);
    findings.replace(state.findings, {});
    clusters.put(name, nullptr);
    endpoints.put(name, nullptr);
    upstreams.erase(at);
    return;
  }
  if (state.made && state.made->targets == state.wanted->targets) return;
  UpstreamResources made = make_upstream(*state.wanted, keyring);
  trust_authority(state, trusts_authority(*state.wanted, keyring));
  findings.replace(state.findings, made.findings);
  state.findings = std::move(made.findings);
  state.made = state.wanted;
  clusters.put(name, std::move(made.cluster));
  endpoints.put(name, std::move(made.endpoints));
}

void Builder::Memory::remake() {
  for (const std::string& name : touched_upstreams) remake_upstream(name);
  for (const std::int64_t certificate : touched_certificates) remake_secret(certificate);
  remake_authority();
  for (const PortKey& key : touched_ports) {
    const auto at = ports.find(key);
    at->second.remake(keyring, shelves, findings);
    if (at->second.empty()) ports.erase(at);
  }
  touched_upstreams.clear();
  touched_certificates.clear();
  touched_ports.clear();
}

Builder::Builder(Audience audience) : memory_(std::make_unique<Memory>(std::move(audience))) {
  if (memory_->audience.type == ProxyType::Proxyless)
    proxyless_ = std::make_unique<ProxylessBuilder>();
}
Builder::~Builder() = default;

SnapshotPtr Builder::build(const ClusterConfig& config, Time now) {
  if (proxyless_) return proxyless_->build(config, now);
  // Its name is part of what callers prove to be, its switches are part of listeners and routes.
  const std::string cluster = config.cluster ? config.cluster->name : "";
  const Logging logging = config.cluster ? logging_of(*config.cluster) : Logging();
  if (cluster != memory_->cluster || logging != memory_->audience.logging) {
    Audience audience = memory_->audience;
    audience.logging = logging;
    memory_ = std::make_unique<Memory>(std::move(audience));
    memory_->cluster = cluster;
  }
  const Memory::Changes changes{memory_->directory.update(config, now),
                                memory_->keyring.update(config, now)};
  const auto gone = memory_->replan(config, changes);
  memory_->take_keys(changes.keys);
  memory_->remake();
  Snapshot snapshot{.revision = config.revision, .findings = memory_->findings.sorted()};
  for (std::size_t type = 0; type < type_count; ++type) {
    snapshot.types[type] = memory_->shelves[type].settle();
    snapshot.censuses[type] = memory_->shelves[type].census();
  }
  return std::make_shared<const Snapshot>(std::move(snapshot));
}

Logging logging_of(const Cluster& cluster) {
  return {cluster.log_auth, cluster.log_netflow, cluster.log_debug};
}

bool concerns(const Mapping& mapping, ProxyType type) {
  return mapping.enabled && (type == ProxyType::Egress || has_any(mapping.source_services));
}

const Mapping* tcp_clash(const ClusterConfig& config, const Mapping& candidate) {
  if (!candidate.enabled || !is_tcp(candidate)) return nullptr;
  Directory directory;
  directory.update(config, Time{});
  const auto guard_of = [&](const Mapping& mapping) {
    return judge(mapping, directory.resolve(mapping.source_services),
                 directory.resolve(mapping.dest_services), Carrier::Tcp)
        .guard;
  };
  const Guard guard = guard_of(candidate);
  const std::vector<int> ports = all_ports(candidate);
  for (const auto& other : config.mappings) {
    if (other->id == candidate.id || !other->enabled || !is_tcp(*other)) continue;
    const auto shares_port = [&](int port) { return std::ranges::binary_search(ports, port); };
    if (std::ranges::none_of(all_ports(*other), shares_port)) continue;
    const Guard others = guard_of(*other);
    const bool both_anybody = takes_rest(guard) && takes_rest(others);
    const bool shared = std::ranges::any_of(guard.addresses, [&](const std::string& address) {
      return std::ranges::binary_search(others.addresses, address);
    });
    if (both_anybody || shared) return other.get();
  }
  return nullptr;
}

}  // namespace mp::xds
