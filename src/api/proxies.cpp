#include "api/context.hpp"
#include "api/fleet.hpp"
#include "api/nouns.hpp"
#include "api/selection.hpp"
#include "api/standing.hpp"
#include "model/filters.hpp"

namespace mp::api {

namespace {

void narrow_to_health(Selection& selection, const Call& call, const boost::json::value& wanted) {
  const std::string health(wanted.as_string());
  const std::string away = offline_condition(selection, call);
  if (health == "offline") return narrow(selection, away);
  narrow(selection, "status = :health AND NOT " + away);
  selection.values.emplace_back("health", health);
}

Page<Proxy> list_proxies(Call& call, Listing<Proxy> query) {
  Page<Proxy> page;
  call.read([&](Reader& db) {
    Selection selection = selection_of(describe<Proxy>, query);
    narrow_to_visible(selection, call.caller);
    if (const auto* health = query.filter("status")) narrow_to_health(selection, call, *health);
    page = load_page<Proxy>(db, query, selection);
  });
  for (Proxy& proxy : page.items) complete(proxy, call);
  return page;
}

Proxy load_visible(Reader& db, const Caller& caller, const std::string& id) {
  auto proxy = db.find<Proxy>(id);
  if (!proxy || !may_see(caller, proxy->cluster_id)) throw not_found("proxy");
  return *std::move(proxy);
}

Proxy get_proxy(Call& call, Id<Proxy> id) {
  Proxy proxy;
  call.read([&](Reader& db) { proxy = load_visible(db, call.caller, id.value); });
  complete(proxy, call);
  return proxy;
}

Done delete_proxy(Call& call, Id<Proxy> id) {
  if (!call.caller.is_admin()) {
    call.read([&](Reader& db) { load_visible(db, call.caller, id.value); });
    throw Error(Code::Permission, "");
  }
  const Done done = write<Done>(call, [&](Writer& db) {
    const Proxy proxy = db.get<Proxy>(id.value);
    check_match(call, describe<Proxy>, &proxy);
    db.remove(proxy);
    return Done{"Proxy deleted"};
  });
  if (auto* server = call.context.hub.server())
    server->close_proxy(id.value, "the proxy was deleted");
  call.context.hub.status().forget(id.value);
  return done;
}

ProxyConfigReport get_config(Call& call, Id<Proxy> id) {
  call.read([&](Reader& db) { load_visible(db, call.caller, id.value); });
  ProxyConfigReport report;
  const auto state = call.context.hub.status().get(id.value);
  if (!state) return report;
  report.revision = state->revision;
  report.state = config_state(state->state);
  for (const xds::HeldType& held : state->types) {
    report.types.push_back(
        {held.type_url, held.version, static_cast<std::int64_t>(held.resources)});
  }
  for (const xds::Refusal& refusal : state->rejected) {
    report.rejected.push_back(
        {.resource = refusal.resource,
         .object = {refusal.object.type, refusal.object.id, refusal.object.name},
         .message = refusal.message,
         .since = refusal.since});
  }
  return report;
}

Done retry(Call& call, Id<Proxy> id) {
  call.read([&](Reader& db) { load_visible(db, call.caller, id.value); });
  if (!call.caller.is_admin()) throw Error(Code::Permission, "");
  auto* server = call.context.hub.server();
  if (!server || !server->retry(id.value))
    throw Error(Code::Conflict, "The proxy is not connected to this manager");
  return {"What the proxy refused is sent again"};
}

}  // namespace

void proxies(Endpoints& endpoints) {
  endpoints.add(
      {.id = "list_proxies", .call = "GET /proxies", .summary = "List registered proxies."},
      list_proxies);
  endpoints.add({.id = "get_proxy",
                 .call = "GET /proxies/{id}",
                 .summary = "Get a proxy.",
                 .effort = Effort::Quick},
                get_proxy);
  endpoints.add({.id = "delete_proxy",
                 .call = "DELETE /proxies/{id}",
                 .summary = "Delete a proxy; its stream is closed.",
                 .errors = {Code::Permission}},
                delete_proxy);
  endpoints.add({.id = "get_proxy_config",
                 .call = "GET /proxies/{id}/config",
                 .summary = "What configuration a proxy holds and refuses."},
                get_config);
  endpoints.add({.id = "retry_proxy",
                 .call = "POST /proxies/{id}/retry",
                 .summary = "Send a proxy what it refused again.",
                 .errors = {Code::Permission, Code::Conflict},
                 .effect = Effect::Nothing},
                retry);
}

}  // namespace mp::api
