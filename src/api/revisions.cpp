#include "api/context.hpp"
#include "api/nouns.hpp"
#include "api/standing.hpp"

#include <charconv>

namespace mp::api {
namespace {

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
  if (!entry->cluster_id) return status;
  for (const auto& proxy :
       call.context.hub.status().at_revision(*entry->cluster_id, entry->revision)) {
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
