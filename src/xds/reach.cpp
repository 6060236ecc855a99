#include "xds/reach.hpp"

#include "xds/build.hpp"
#include "xds/passage.hpp"

#include <algorithm>

namespace mp::xds {
namespace {

bool has_port(const Mapping& mapping, int port) {
  return std::ranges::any_of(
      mapping.ports, [&](const Ports& range) { return range.first <= port && port <= range.last; });
}

bool speaks(const Mapping& mapping, Protocol protocol) {
  return std::ranges::find(mapping.protocols, protocol) != mapping.protocols.end();
}

bool is_tls(Protocol protocol) { return protocol == Protocol::Https || protocol == Protocol::Wss; }

std::string name_of(Protocol protocol) {
  return std::string(mp::names_of<Protocol>[static_cast<std::size_t>(protocol)]);
}

std::string text_of(const std::vector<Ports>& ports) {
  std::string text;
  for (const Ports& range : ports) {
    text += (text.empty() ? "" : ", ") + std::to_string(range.first);
    if (range.last != range.first) text += "-" + std::to_string(range.last);
  }
  return text;
}

std::string text_of(const std::vector<Protocol>& protocols) {
  std::string text;
  for (const Protocol each : protocols) text += (text.empty() ? "" : ", ") + name_of(each);
  return text;
}

bool holds(const Parties& parties, std::int64_t service) {
  return std::ranges::any_of(parties,
                             [&](const PartyPtr& party) { return party->service->id == service; });
}

}  // namespace

struct Reach::Lie {
  ClusterConfigPtr config;
  Ground ground;
  Directory directory;
  Keyring keyring;
  std::vector<PlanPtr> plans;  // of the port's mappings, by id
  Claims claims;

  PartyPtr party(std::int64_t service) const;
  const Plan* plan_of(const Mapping& mapping) const;
  bool connects(const Mapping& mapping, const Journey& journey) const;
  void add_warnings(Way& way) const;
  std::vector<Obstacle> obstacles(const Passages& passages, const Journey& journey) const;
  std::optional<Obstacle> unplanned(const Mapping& mapping, const Journey& journey) const;
  void explain(const Mapping& mapping, const Passages& passages, const Journey& journey,
               std::vector<Obstacle>& obstacles) const;
  std::optional<std::string> lacking(const Plan& plan, const Journey& journey) const;
};

Reach::Reach(ClusterConfigPtr config, Ground ground, Time now) : lie_(std::make_unique<Lie>()) {
  lie_->config = std::move(config);
  lie_->ground = ground;
  lie_->directory.update(*lie_->config, now);
  lie_->keyring.update(*lie_->config, now);
  const std::string cluster = lie_->config->cluster ? lie_->config->cluster->name : "";
  for (const auto& mapping : lie_->config->mappings) {
    if (concerns(*mapping, ground.type) && has_port(*mapping, ground.port))
      lie_->plans.push_back(make_plan(mapping, {lie_->directory, lie_->keyring, cluster}));
  }
  lie_->claims = claims_on(lie_->plans, ground.port);
}

Reach::~Reach() = default;

Reach::Outlook Reach::look(const Journey& journey) const {
  const PartyPtr caller = journey.from ? lie_->party(*journey.from) : nullptr;
  Passages found = passages(lie_->claims, journey, lie_->keyring, caller);
  // What names the caller is what is meant for him.
  std::ranges::stable_sort(found.ways, std::ranges::greater(), &Way::names_caller);
  for (Way& way : found.ways) lie_->add_warnings(way);
  Outlook outlook{.ways = std::move(found.ways), .obstacles = {}};
  if (outlook.ways.empty()) outlook.obstacles = lie_->obstacles(found, journey);
  return outlook;
}

PartyPtr Reach::Lie::party(std::int64_t service) const {
  const Parties found =
      directory.resolve({{.kind = ServiceRef::Kind::Service, .service_id = service, .name = ""}});
  return found.empty() ? nullptr : found.front();
}

const Plan* Reach::Lie::plan_of(const Mapping& mapping) const {
  const auto found = std::ranges::find_if(
      plans, [&](const PlanPtr& plan) { return plan->mapping->id == mapping.id; });
  return found == plans.end() ? nullptr : found->get();
}

// The mapping is for such traffic, whatever its ports and protocols are.
bool Reach::Lie::connects(const Mapping& mapping, const Journey& journey) const {
  const bool source =
      has_any(mapping.source_services) ||
      (journey.from && holds(directory.resolve(mapping.source_services), *journey.from));
  return source && holds(directory.resolve(mapping.dest_services), journey.to);
}

void Reach::Lie::add_warnings(Way& way) const {
  const Plan* plan = plan_of(*way.mapping);
  if (!plan) return;
  for (const Finding& finding : plan->findings) way.warnings.push_back(finding.message);
}

std::vector<Obstacle> Reach::Lie::obstacles(const Passages& passages,
                                            const Journey& journey) const {
  std::vector<Obstacle> obstacles;
  for (const auto& mapping : config->mappings) {
    if (connects(*mapping, journey)) explain(*mapping, passages, journey, obstacles);
  }
  if (!obstacles.empty()) return obstacles;
  obstacles.push_back({Obstacle::Kind::NoMapping, std::nullopt,
                       "No mapping leads from this source to this destination"});
  for (const auto& mapping : passages.shut) {
    obstacles.push_back({Obstacle::Kind::Denied, object_of(*mapping),
                         "It leads to the destination, but admits others than this caller"});
  }
  return obstacles;
}

// Why proxies of this type have no plan of it for the port at all, or none for the protocol.
std::optional<Obstacle> Reach::Lie::unplanned(const Mapping& mapping,
                                              const Journey& journey) const {
  const Object object = object_of(mapping);
  if (!mapping.enabled) return Obstacle{Obstacle::Kind::Disabled, object, "It is not enabled"};
  if (!concerns(mapping, ground.type)) {
    return Obstacle{Obstacle::Kind::ProxyType, object,
                    "Ingress proxies carry mappings from any alone"};
  }
  if (!has_port(mapping, journey.port)) {
    return Obstacle{Obstacle::Kind::Port, object, "Its ports are " + text_of(mapping.ports)};
  }
  if (!speaks(mapping, journey.protocol)) {
    return Obstacle{Obstacle::Kind::Protocol, object,
                    "Its protocols are " + text_of(mapping.protocols)};
  }
  return std::nullopt;
}

// Where a certificate is what lets callers in, and there is none in force: the reason.
std::optional<std::string> Reach::Lie::lacking(const Plan& plan, const Journey& journey) const {
  const bool tcp = journey.protocol == Protocol::Tcp && plan.by_issuers;
  if (!tcp && !is_tls(journey.protocol)) return std::nullopt;
  const bool certified = std::ranges::any_of(
      plan.streams, [](const StreamClaim& claim) { return claim.certificate.has_value(); });
  if (tcp ? certified : !plan.certificates.empty()) return std::nullopt;
  for (const std::string& name : plan.proofs) {
    const std::string lapse = keyring.lapse(name);
    if (!lapse.empty()) return "\"" + name + "\": " + lapse;
  }
  return "None of its names has a certificate";
}

void Reach::Lie::explain(const Mapping& mapping, const Passages& passages, const Journey& journey,
                         std::vector<Obstacle>& obstacles) const {
  if (auto obstacle = unplanned(mapping, journey)) {
    obstacles.push_back(*std::move(obstacle));
    return;
  }
  const Object object = object_of(mapping);
  const auto before = obstacles.size();
  for (const Finding& finding : passages.shadowed) {
    if (finding.object == object && finding.condition == Condition::Shadowed)
      obstacles.push_back({Obstacle::Kind::Shadowed, object, finding.message});
  }
  if (const Plan* plan = plan_of(mapping)) {
    if (const auto reason = lacking(*plan, journey))
      obstacles.push_back({Obstacle::Kind::Certificate, object, *reason});
    const auto kind =
        journey.protocol == Protocol::Icmp ? Obstacle::Kind::Unsupported : Obstacle::Kind::Denied;
    for (const Finding& finding : plan->findings)
      obstacles.push_back({kind, object, finding.message});
  }
  if (obstacles.size() == before)
    obstacles.push_back({Obstacle::Kind::Denied, object, "It admits nobody like this caller"});
}

}  // namespace mp::xds
