#include "api/context.hpp"
#include "api/endpoint.hpp"
#include "api/fleet_difference.hpp"
#include "api/nouns.hpp"

#include <algorithm>
#include <chrono>
#include <set>

namespace mp::api {
namespace {

constexpr std::chrono::seconds longest_comparison{20};

using Names = std::set<std::string, std::less<>>;

Names connected_of(const Call& call, std::int64_t cluster_id) {
  Names connected;
  for (const auto& state : call.context.hub.status().of_cluster(cluster_id)) {
    if (state.connected) connected.insert(state.proxy_id);
  }
  return connected;
}

// Those that one of the cluster's audiences with other resources stands for.
void add_proxies(const std::vector<PlannedAudience>& audiences, const Rehearsal::Fleet& fleet,
                 const Names& connected, std::vector<ConcernedProxy>& proxies) {
  for (const Proxy& proxy : fleet.proxies) {
    const bool concerned = std::ranges::any_of(audiences, [&](const PlannedAudience& each) {
      return !each.types.empty() && each.cluster_id == proxy.cluster_id &&
             each.proxy_type == proxy.proxy_type &&
             std::ranges::binary_search(each.listen_addresses, proxy.listen_address);
    });
    if (!concerned) continue;
    proxies.push_back({.proxy_id = proxy.id,
                       .hostname = proxy.hostname,
                       .proxy_type = proxy.proxy_type,
                       .cluster_id = proxy.cluster_id,
                       .connected = connected.contains(proxy.id)});
  }
}

PlanReport plan(Call& call, New<PlanRequest> body) {
  const auto turn = call.context.planning.take();
  Rehearsal rehearsal = rehearse(call, body.value.changes);
  PlanReport report{.revision = rehearsal.revision,
                    .applicable = rehearsal.problems.empty(),
                    .problems = std::move(rehearsal.problems),
                    .objects = objects_of(rehearsal.entries),
                    .proxies = {},
                    .audiences = {}};
  const auto* server = call.context.hub.server();
  const auto groups = server ? server->groups() : std::vector<xds::GroupKey>();
  const Time now = call.context.clock.now();
  const auto end = std::chrono::steady_clock::now() + longest_comparison;
  for (const auto& [cluster_id, fleet] : rehearsal.fleets) {
    for (PlannedAudience& audience : audiences_of(cluster_id, fleet, groups)) {
      if (std::chrono::steady_clock::now() > end)
        throw unavailable("The plan takes too long; ask for fewer changes", "a plan over 20 s");
      compare(audience, fleet, now);
      if (is_same(audience)) continue;
      report.audiences.push_back(std::move(audience));
    }
    add_proxies(report.audiences, fleet, connected_of(call, cluster_id), report.proxies);
  }
  return report;
}

}  // namespace

void plans(Endpoints& endpoints) {
  endpoints.add({.id = "plan_changes",
                 .call = "POST /plan",
                 .summary = "Try changes without making them, and tell what they would do.",
                 .effect = Effect::Nothing},
                plan);
}

}  // namespace mp::api
