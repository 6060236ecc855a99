#include "api/fleet_difference.hpp"

#include "xds/build.hpp"
#include "xds/difference.hpp"

#include <algorithm>
#include <iterator>

namespace mp::api {
namespace {

ProxyKind kind_of(xds::ProxyType type) {
  return type == xds::ProxyType::Ingress ? ProxyKind::Ingress : ProxyKind::Egress;
}

xds::ProxyType type_of(ProxyKind kind) {
  return kind == ProxyKind::Ingress ? xds::ProxyType::Ingress : xds::ProxyType::Egress;
}

NamedObject named(const xds::Object& object) { return {object.type, object.id, object.name}; }

// A changed one comes from what it came from before and what it comes from then.
PlannedResource resource_of(const xds::Change& change) {
  std::vector<xds::Object> origins;
  for (const auto& resource : {change.before, change.after}) {
    if (resource) std::ranges::copy(resource->origins, std::back_inserter(origins));
  }
  std::ranges::sort(origins);
  const auto repeated = std::ranges::unique(origins);
  origins.erase(repeated.begin(), repeated.end());
  PlannedResource resource{.name = change.name(), .objects = {}};
  for (const xds::Object& origin : origins) resource.objects.push_back(named(origin));
  return resource;
}

ResourceDifference difference_of(xds::Type type, const std::vector<xds::Change>& changes) {
  ResourceDifference difference{
      .type_url = std::string(xds::type_url(type)), .added = {}, .changed = {}, .removed = {}};
  for (const xds::Change& change : changes) {
    auto& list = !change.before  ? difference.added
                 : !change.after ? difference.removed
                                 : difference.changed;
    list.push_back(resource_of(change));
  }
  return difference;
}

FindingKind kind_of(xds::Condition condition) {
  switch (condition) {
    case xds::Condition::Shadowed: return FindingKind::Shadowed;
    case xds::Condition::Unsupported: return FindingKind::Unsupported;
    case xds::Condition::Warning: break;
  }
  return FindingKind::Warning;
}

// Those of `one` that `other` lacks; both are sorted.
std::vector<PlannedFinding> only_in(const std::vector<xds::Finding>& one,
                                    const std::vector<xds::Finding>& other) {
  std::vector<xds::Finding> only;
  std::ranges::set_difference(one, other, std::back_inserter(only));
  std::vector<PlannedFinding> findings;
  findings.reserve(only.size());
  for (const xds::Finding& finding : only)
    findings.push_back({named(finding.object), kind_of(finding.condition), finding.message});
  return findings;
}

void add_audience(std::vector<PlannedAudience>& audiences, const PlannedAudience& wanted,
                  const std::string& address) {
  const auto same = [&](const PlannedAudience& each) {
    return each.proxy_type == wanted.proxy_type && each.flavour == wanted.flavour;
  };
  auto found = std::ranges::find_if(audiences, same);
  if (found == audiences.end()) found = audiences.insert(found, wanted);
  auto& addresses = found->listen_addresses;
  const auto place = std::ranges::lower_bound(addresses, address);
  if (place == addresses.end() || *place != address) addresses.insert(place, address);
}

}  // namespace

std::vector<PlannedAudience> audiences_of(std::int64_t cluster_id, const Rehearsal::Fleet& fleet,
                                          std::span<const xds::GroupKey> connected) {
  std::vector<PlannedAudience> audiences;
  for (const xds::GroupKey& group : connected) {
    const bool whole = group.flavour == xds::Flavour::StateOfTheWorld;
    // Clients without a proxy are none of the fleet.
    if (group.cluster_id != cluster_id || group.type == xds::ProxyType::Proxyless) continue;
    add_audience(audiences,
                 {.cluster_id = cluster_id,
                  .proxy_type = kind_of(group.type),
                  .flavour = whole ? WireFlavour::StateOfTheWorld : WireFlavour::Delta},
                 group.listen_address);
  }
  // Those that are away are taken for proxies of the usual flavour.
  for (const Proxy& proxy : fleet.proxies) {
    const bool known = std::ranges::any_of(audiences, [&](const PlannedAudience& each) {
      return each.proxy_type == proxy.proxy_type &&
             std::ranges::binary_search(each.listen_addresses, proxy.listen_address);
    });
    if (!known)
      add_audience(audiences, {.cluster_id = cluster_id, .proxy_type = proxy.proxy_type},
                   proxy.listen_address);
  }
  if (audiences.empty()) {
    for (const ProxyKind kind : {ProxyKind::Egress, ProxyKind::Ingress})
      add_audience(audiences, {.cluster_id = cluster_id, .proxy_type = kind},
                   Proxy().listen_address);
  }
  std::ranges::sort(audiences, {}, [](const PlannedAudience& each) {
    return std::pair(each.proxy_type, each.flavour);
  });
  return audiences;
}

void compare(PlannedAudience& audience, const Rehearsal::Fleet& fleet, Time now) {
  const bool delta = audience.flavour == WireFlavour::Delta;
  xds::Builder builder({.type = type_of(audience.proxy_type),
                        .listen_address = audience.listen_addresses.front(),
                        .flavour = delta ? xds::Flavour::Delta : xds::Flavour::StateOfTheWorld});
  const auto before = builder.build(*fleet.before, now);
  const auto after = builder.build(*fleet.after, now);
  const xds::Difference difference = xds::difference(*before, *after);
  for (std::size_t at = 0; at < xds::type_count; ++at) {
    if (!difference[at].empty())
      audience.types.push_back(difference_of(static_cast<xds::Type>(at), difference[at]));
  }
  audience.appeared = only_in(*after->findings, *before->findings);
  audience.disappeared = only_in(*before->findings, *after->findings);
  audience.breaches = xds::inconsistencies(*after);
}

bool is_same(const PlannedAudience& audience) {
  return audience.types.empty() && audience.appeared.empty() && audience.disappeared.empty();
}

}  // namespace mp::api
