#include "access/keys.hpp"
#include "api/context.hpp"
#include "api/nouns.hpp"
#include "api/selection.hpp"
#include "api/standing.hpp"
#include "model/rotation.hpp"

#include <filesystem>
#include <map>

namespace mp::api {
namespace {

void count_proxies(Reader& db, Cluster& cluster) {
  cluster.proxy_count =
      std::get<std::int64_t>(db.query("SELECT COUNT(*) FROM proxies WHERE cluster_id = :id",
                                      {{"id", cluster.id}}, {Column::Integer})[0][0]);
}

Cluster load_visible(Reader& db, const Caller& caller, std::int64_t id) {
  if (!may_see(caller, id)) throw not_found("cluster");
  Cluster cluster = db.get<Cluster>(id);
  count_proxies(db, cluster);
  return cluster;
}

// Active clusters beyond what the licence allows: neither made nor brought back.
void check_room(Reader& db, const Call& call) {
  const Entitlement entitlement = call.context.license.now();
  if (has_room(db.count<Cluster>({.where = "is_active = 1"}), entitlement.max_clusters)) return;
  const std::string limit = std::to_string(entitlement.max_clusters);
  throw not_licensed(entitlement, "multi_cluster",
                     entitlement.max_clusters == community_clusters
                         ? "The Community edition has the default cluster alone"
                         : "The license allows " + limit + " clusters");
}

void count_proxies(Reader& db, std::vector<Cluster>& clusters) {
  std::map<std::int64_t, std::int64_t> counts;
  for (const Row& row : db.query("SELECT cluster_id, COUNT(*) FROM proxies GROUP BY cluster_id", {},
                                 {Column::Integer, Column::Integer})) {
    counts[std::get<std::int64_t>(row[0])] = std::get<std::int64_t>(row[1]);
  }
  for (Cluster& cluster : clusters) cluster.proxy_count = counts[cluster.id];
}

Page<Cluster> list_clusters(Call& call, Listing<Cluster> query) {
  Page<Cluster> page;
  call.read([&](Reader& db) {
    Selection selection = selection_of(describe<Cluster>, query);
    narrow_to_visible(selection, call.caller, "id");
    page = load_page<Cluster>(db, query, selection);
    count_proxies(db, page.items);
  });
  return page;
}

Created<Cluster> create_cluster(Call& call, New<Cluster> body) {
  return write<Created<Cluster>>(call, [&](Writer& db) {
    Cluster cluster = body.value;
    if (cluster.is_active) check_room(db, call);
    const Secret key = new_cluster_key();
    cluster.created_by = call.caller.user->id;
    cluster.key_hash = sha256_hex(key.reveal());
    cluster.api_key = mask_key(key.reveal());
    db.insert(cluster);
    call.revision_cluster = cluster.id;
    cluster.api_key = key.reveal();  // this once
    return Created<Cluster>{std::move(cluster)};
  });
}

Cluster get_cluster(Call& call, Id<Cluster> id) {
  Cluster cluster;
  call.read([&](Reader& db) { cluster = load_visible(db, call.caller, id.value); });
  return cluster;
}

// Sees it but may not change it: 403; does not see it: 404.
void require_writer(const Call& call, std::int64_t id) {
  if (!may_see(call.caller, id)) throw not_found("cluster");
  if (!call.caller.is_admin()) throw Error(Code::Permission, "");
}

template <class Edit>
Cluster edit(Call& call, std::int64_t id, Edit change) {
  require_writer(call, id);
  return write<Cluster>(call, [&](Writer& db) {
    Cluster cluster = load_visible(db, call.caller, id);
    const bool was_active = cluster.is_active;
    change(db, cluster);
    if (cluster.is_active && !was_active) check_room(db, call);
    if (cluster.is_default && !cluster.is_active)
      throw Error(Code::Conflict, "The default cluster must stay active");
    db.update(cluster);
    call.revision_cluster = cluster.id;
    return cluster;
  });
}

// Proxies come and go between the client's GET and its PUT, but there never were more than came.
void check_count(Reader& db, Call& call, const Cluster& cluster) {
  const auto* sent = call.body().as_object().if_contains("proxy_count");
  if (!sent || sent->to_number<double>() <= static_cast<double>(cluster.proxy_count)) return;
  const auto came = db.query(
      "SELECT COUNT(*) FROM changes "
      "WHERE resource = 'proxy' AND action = 'create' AND cluster_id = :id",
      {{"id", cluster.id}}, {Column::Integer});
  if (sent->to_number<double>() > static_cast<double>(std::get<std::int64_t>(came[0][0])))
    throw invalid({{"proxy_count", "Is set by the server", *sent}});
}

Cluster update_cluster(Call& call, Id<Cluster> id, Change<Cluster> change) {
  return edit(call, id.value, [&](Reader& db, Cluster& cluster) {
    change.apply(cluster);
    check_count(db, call, cluster);
  });
}

Cluster set_logging(Call& call, Id<Cluster> id, Late<ClusterLogging> body) {
  return edit(call, id.value, [&](Reader&, Cluster& cluster) {
    check_match(call, describe<Cluster>, &cluster);
    const ClusterLogging logging = body.read();
    cluster.syslog_endpoint = logging.syslog_endpoint;
    cluster.log_auth = *logging.log_auth;
    cluster.log_netflow = *logging.log_netflow;
    cluster.log_debug = *logging.log_debug;
  });
}

Done deactivate_cluster(Call& call, Id<Cluster> id) {
  edit(call, id.value, [&](Reader&, Cluster& cluster) {
    check_match(call, describe<Cluster>, &cluster);
    cluster.is_active = false;
  });
  return {"Cluster deactivated"};
}

void forget_key_file(const Call& call, const Cluster& cluster) {
  if (!cluster.is_default) return;
  std::error_code ignored;
  std::filesystem::remove(
      std::filesystem::path(call.context.settings.data_dir) / "default-cluster-key", ignored);
}

KeyRotation rotate_key(Call& call, Id<Cluster> id) {
  require_writer(call, id.value);
  Cluster cluster;
  KeyRotation rotation = write<KeyRotation>(call, [&](Writer& db) {
    cluster = db.get<Cluster>(id.value);
    const Secret key(new_cluster_key());
    cluster.previous_key_hash = cluster.key_hash;
    cluster.previous_key_until =
        db.now() + std::chrono::seconds(call.context.settings.rotation.overlap);
    cluster.key_hash = sha256_hex(key.reveal());
    cluster.api_key = mask_key(key.reveal());
    db.update(cluster);
    call.revision_cluster = cluster.id;
    return KeyRotation{key, *cluster.previous_key_until};
  });
  forget_key_file(call, cluster);
  return rotation;
}

ClusterStatus cluster_status(Call& call, Id<Cluster> id) {
  call.read([&](Reader& db) { load_visible(db, call.caller, id.value); });
  ClusterStatus status{.revision = call.context.hub.revision(),
                       .state = FleetState::Idle,
                       .proxies = {},
                       .warnings = {}};
  for (const xds::ProxyState& proxy : call.context.hub.status().of_cluster(id.value)) {
    status.proxies.push_back(proxy_standing(proxy));
  }
  status.state = whole_state(status.proxies);
  for (const xds::Finding& finding : call.context.hub.findings(id.value)) {
    status.warnings.push_back(finding.object.type + " " + finding.object.name + " (" +
                              std::to_string(finding.object.id) + "): " + finding.message);
  }
  const auto server = call.context.relay.standing(id.value);
  if (server && !server->fault.empty()) {
    status.warnings.push_back("syslog " + server->endpoint + ": not reached: " + server->fault +
                              "; " + std::to_string(server->waiting) + " bytes wait");
  }
  return status;
}

}  // namespace

void clusters(Endpoints& endpoints) {
  endpoints.add({.id = "list_clusters",
                 .call = "GET /clusters",
                 .summary = "List clusters.",
                 .feature = "multi_cluster"},
                list_clusters);
  endpoints.add({.id = "create_cluster",
                 .call = "POST /clusters",
                 .summary = "Create a cluster; its key is shown this once.",
                 .needs = Needs::Admin,
                 .feature = "multi_cluster"},
                create_cluster);
  endpoints.add({.id = "get_cluster",
                 .call = "GET /clusters/{id}",
                 .summary = "Get a cluster, its key masked.",
                 .effort = Effort::Quick},
                get_cluster);
  endpoints.add({.id = "update_cluster",
                 .call = "PUT /clusters/{id}",
                 .summary = "Change the fields that are sent.",
                 .errors = {Code::Permission, Code::Feature, Code::Conflict}},
                update_cluster);
  endpoints.add({.id = "patch_cluster",
                 .call = "PATCH /clusters/{id}",
                 .summary = "Change by JSON merge patch.",
                 .errors = {Code::Permission, Code::Feature, Code::Conflict}},
                update_cluster);
  endpoints.add({.id = "deactivate_cluster",
                 .call = "DELETE /clusters/{id}",
                 .summary = "Deactivate a cluster; never the default one.",
                 .errors = {Code::Permission, Code::Conflict}},
                deactivate_cluster);
  endpoints.add({.id = "rotate_cluster_key",
                 .call = "POST /clusters/{id}/rotate-key",
                 .summary = "Replace a cluster's key; the old one works for the overlap.",
                 .errors = {Code::Permission}},
                rotate_key);
  endpoints.add({.id = "set_cluster_logging",
                 .call = "PUT /clusters/{id}/logging",
                 .summary = "Set what a cluster's proxies log, and where to.",
                 .errors = {Code::Permission}},
                set_logging);
  endpoints.add({.id = "get_cluster_status",
                 .call = "GET /clusters/{id}/status",
                 .summary = "What each proxy of a cluster holds, refused or lacks."},
                cluster_status);
}

}  // namespace mp::api
