#include "api/fleet.hpp"

#include "api/context.hpp"
#include "api/standing.hpp"
#include "base/utf8.hpp"

namespace mp::api {
namespace {

Time offline_before(const Context& context) {
  return mp::offline_before(context.clock.now(), context.settings.proxy.heartbeat_interval);
}

// The licence counts every proxy that is not offline, over all clusters and types.
void check_room(Reader& db, const Context& context) {
  const Entitlement entitlement = context.license.now();
  if (has_room(count_use(db, offline_before(context)).proxies, entitlement.max_proxies)) return;
  const std::string limit = std::to_string(entitlement.max_proxies);
  throw not_licensed(entitlement, "unlimited_proxies",
                     entitlement.max_proxies == community_proxies
                         ? "The Community edition allows " + limit + " proxies"
                         : "The license allows " + limit + " proxies");
}

// The Envoy of a deleted proxy may still run, and comes back by itself at once.
void check_not_deleted(Reader& db, const std::string& id) {
  const auto deleted = db.query(
      "SELECT 1 FROM changes WHERE resource = 'proxy' AND object_id = :id AND action = 'delete' "
      "LIMIT 1",
      {{"id", id}}, {Column::Integer});
  if (!deleted.empty()) throw Error(Code::Permission, "The proxy was deleted");
}

// Host names are the same in whatever letters they are written (RFC 4343), ids of nodes are not.
std::optional<Proxy> find_registered(Reader& db, const Enrolment& enrolment) {
  const std::string kind(
      names_of<ProxyKind>[static_cast<std::size_t>(enrolment.registration.proxy_type)]);
  const std::string& hostname = enrolment.registration.hostname;
  const auto with = [&](std::string_view condition, const std::string& name) {
    auto found = db.select<Proxy>(
        {.where = "cluster_id = :cluster AND proxy_type = :kind AND " + std::string(condition),
         .values = {{"cluster", enrolment.cluster_id}, {"hostname", name}, {"kind", kind}},
         .order = "created_at"});
    return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
  };
  auto known = with("hostname = :hostname", hostname);
  if (known || !enrolment.wanted_id.empty()) return known;
  return with("LOWER(hostname) = :hostname", ascii_lower(hostname));
}

// One spelling each.
std::vector<Capability> normal(const std::vector<Capability>& given) {
  std::vector<Capability> list;
  for (Capability each : given) {
    if (each == Capability::AfXdpAlias) each = Capability::Afxdp;
    if (each == Capability::SrIovAlias) each = Capability::Sriov;
    if (std::ranges::find(list, each) == list.end()) list.push_back(each);
  }
  return list;
}

void describe_proxy(Proxy& proxy, const Registration& registration) {
  proxy.name = registration.name.empty() ? registration.hostname : registration.name;
  proxy.version = registration.version;
  proxy.capabilities = normal(registration.capabilities.value_or(std::vector<Capability>()));
  proxy.listen_address = registration.listen_address;
}

}  // namespace

std::string offline_condition(Selection& selection, const Call& call) {
  selection.values.emplace_back("offline_before", to_milliseconds(offline_before(call.context)));
  return "(last_seen <= :offline_before)";
}

void complete(Proxy& proxy, const Call& call) {
  if (proxy.last_seen <= offline_before(call.context)) proxy.status = Health::Offline;
  if (const auto state = call.context.hub.status().get(proxy.id)) {
    proxy.config = {.revision = state->revision, .state = config_state(state->state)};
  }
}

Proxy enrol(Writer& db, Context& context, const Enrolment& enrolment) {
  if (auto known = find_registered(db, enrolment)) {
    if (known->last_seen <= offline_before(context)) check_room(db, context);
    const Proxy before = *known;
    describe_proxy(*known, enrolment.registration);
    known->last_seen = db.now();
    // Being seen again is no change to tell anybody; describing itself otherwise is.
    const bool same = before.version == known->version &&
                      before.capabilities == known->capabilities &&
                      before.listen_address == known->listen_address && before.name == known->name;
    db.update(*known, same ? Logged::No : Logged::Yes);
    return *known;
  }
  if (!enrolment.wanted_id.empty()) check_not_deleted(db, enrolment.wanted_id);
  check_room(db, context);
  Proxy proxy{.id = enrolment.wanted_id.empty() ? "proxy-" + random_text(20) : enrolment.wanted_id,
              .hostname = enrolment.registration.hostname,
              .proxy_type = enrolment.registration.proxy_type,
              .cluster_id = enrolment.cluster_id,
              .last_seen = db.now()};
  describe_proxy(proxy, enrolment.registration);
  db.insert(proxy);
  return proxy;
}

void see_connected(Context& context) {
  std::vector<std::string> connected;
  context.store.read([&](Reader& db) {
    for (const auto& row :
         db.query("SELECT DISTINCT cluster_id FROM proxies", {}, {Column::Integer})) {
      for (const auto& proxy : context.hub.status().of_cluster(std::get<std::int64_t>(row[0]))) {
        if (proxy.connected) connected.push_back(proxy.proxy_id);
      }
    }
  });
  if (connected.empty()) return;
  context.store.write({.name = "manager"}, [&](Writer& db) {
    for (const auto& id : connected) {
      db.execute("UPDATE proxies SET last_seen = :now WHERE id = :id",
                 {{"now", to_milliseconds(db.now())}, {"id", id}});
    }
  });
}

}  // namespace mp::api
