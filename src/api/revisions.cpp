#include "api/context.hpp"
#include "api/nouns.hpp"
#include "api/standing.hpp"

#include <charconv>

namespace mp::api {
namespace {

// What is for all clusters concerns those that have proxies.
std::vector<std::int64_t> concerned(const Call& call, const ChangeEntry& entry) {
  if (entry.cluster_id) return {*entry.cluster_id};
  const bool common =
      entry.resource == describe<Certificate>.name || entry.resource == describe<Issuer>.name;
  return common ? call.context.hub.clusters() : std::vector<std::int64_t>();
}

// Revisions are counted by the change log; the path parameter is read as the id of a change.
RevisionStatus get_revision(Call& call, RevisionNumber number) {
  std::optional<ChangeEntry> entry;
  call.read([&](Reader& db) {
    auto found = db.changes_after(number.value - 1, 1);
    if (!found.empty() && found.front().revision == number.value) entry = std::move(found.front());
  });
  const bool visible = entry && (call.caller.is_admin() ||
                                 (entry->cluster_id && may_see(call.caller, *entry->cluster_id)));
  if (!visible) throw not_found("revision");
  RevisionStatus status{
      .revision = entry->revision, .time = entry->time, .state = FleetState::Idle, .proxies = {}};
  for (const std::int64_t cluster_id : concerned(call, *entry)) {
    for (const auto& proxy : call.context.hub.status().at_revision(cluster_id, entry->revision))
      status.proxies.push_back(proxy_standing(proxy));
  }
  status.state = whole_state(status.proxies);
  return status;
}

}  // namespace

void revisions(Endpoints& endpoints) {
  endpoints.add(
      {.id = "get_revision", .call = "GET /revisions/{id}", .summary = "Where one change is live."},
      get_revision);
}

}  // namespace mp::api
