#include "api/reach_fleet.hpp"

#include "api/standing.hpp"

#include <algorithm>
#include <charconv>

namespace mp::api {
namespace {

// Entries; the hub is never that far behind for long.
constexpr std::int64_t most_unpublished = 1000;

std::int64_t number(const std::string& text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

bool all_are(const std::vector<ReachProxy>& proxies, ConfigState state) {
  return std::ranges::all_of(proxies,
                             [&](const ReachProxy& proxy) { return proxy.state == state; });
}

bool any_is(const std::vector<ReachProxy>& proxies, ConfigState state) {
  return std::ranges::any_of(proxies,
                             [&](const ReachProxy& proxy) { return proxy.state == state; });
}

}  // namespace

ReachFleet::ReachFleet(Reader& db, xds::Hub& hub, std::int64_t cluster_id) {
  proxies_ =
      db.select<Proxy>({.where = "cluster_id = :cluster", .values = {{"cluster", cluster_id}}});
  revision_ = db.revision();
  for (const ChangeHead& entry : db.change_heads_after(hub.revision(), most_unpublished)) {
    if (entry.cluster_id.value_or(cluster_id) == cluster_id)
      unpublished_[{entry.resource, number(entry.object_id)}] = entry.revision;
  }
  for (xds::ProxyState& state : hub.status().of_cluster(cluster_id))
    states_.emplace(state.proxy_id, std::move(state));
}

bool ReachFleet::has(ProxyKind kind) const {
  return std::ranges::find(proxies_, kind, &Proxy::proxy_type) != proxies_.end();
}

// A proxy that refuses something else holds this all the same.
ReachProxy ReachFleet::standing(const Proxy& proxy, const std::vector<Key>& objects) const {
  ReachProxy shown{.proxy_id = proxy.id, .hostname = proxy.hostname};
  const auto found = states_.find(proxy.id);
  if (found == states_.end() || !found->second.connected) return shown;
  const xds::ProxyState& state = found->second;
  const auto concerned = [&](const std::string& type, std::int64_t id) {
    return std::ranges::find(objects, Key(type, id)) != objects.end();
  };
  for (const xds::Refusal& refusal : state.rejected) {
    if (!concerned(refusal.object.type, refusal.object.id)) continue;
    shown.state = ConfigState::Rejected;
    shown.message = refusal.message;
    return shown;
  }
  const bool unpublished = std::ranges::any_of(unpublished_, [&](const auto& each) {
    return concerned(each.first.first, each.first.second);
  });
  const bool pending = state.state == xds::State::Pending || unpublished;
  shown.state = pending ? ConfigState::Pending : ConfigState::Live;
  return shown;
}

std::vector<ReachProxy> ReachFleet::on_the_way(const ReachWay& way,
                                               const xds::Object& upstream) const {
  std::vector<Key> objects{{way.mapping.type, way.mapping.id},
                           {way.to.type, way.to.id},
                           {way.from.type, way.from.id},
                           {upstream.type, upstream.id}};
  for (const NamedObject& each : way.certificates) objects.emplace_back(each.type, each.id);
  std::vector<ReachProxy> shown;
  for (const Proxy& proxy : proxies_) {
    if (proxy.proxy_type == way.proxy_type) shown.push_back(standing(proxy, objects));
  }
  return shown;
}

std::optional<ReachFleet::Lack> ReachFleet::lack_of(const ReachWay& way) {
  const std::string type(names_of<ProxyKind>[static_cast<std::size_t>(way.proxy_type)]);
  if (any_is(way.proxies, ConfigState::Live)) return std::nullopt;
  if (way.proxies.empty())
    return Lack{ObstacleKind::NoProxy, "No " + type + " proxy is registered"};
  if (all_are(way.proxies, ConfigState::Offline))
    return Lack{ObstacleKind::NotConnected, "No " + type + " proxy is connected"};
  if (any_is(way.proxies, ConfigState::Pending))
    return Lack{ObstacleKind::Pending, "No " + type + " proxy holds it yet"};
  return Lack{ObstacleKind::Rejected, "The " + type + " proxies that are connected refuse it"};
}

}  // namespace mp::api
