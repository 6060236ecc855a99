#include "xds/directory.hpp"

#include <algorithm>
#include <limits>

namespace mp::xds {
namespace {

std::optional<Time> end_of_previous(const Service& service) {
  return service.previous_secret ? service.previous_secret_until : std::nullopt;
}

}  // namespace

bool has_any(const std::vector<ServiceRef>& refs) {
  return std::ranges::any_of(
      refs, [](const ServiceRef& ref) { return ref.kind == ServiceRef::Kind::Any; });
}

void Directory::put(Changes& changes, const std::shared_ptr<const Service>& service, Time now) {
  const auto until = end_of_previous(*service);
  const auto party = std::make_shared<const Party>(Party{service, until && *until > now});
  changes.services.insert(service->id);
  changes.collections.insert(service->collection);
  parties_[service->id] = party;
  collections_[service->collection][service->id] = party;
  if (until) ends_.emplace(*until, service->id);
}

void Directory::drop(Changes& changes, const Service& service) {
  changes.services.insert(service.id);
  changes.collections.insert(service.collection);
  parties_.erase(service.id);
  const auto members = collections_.find(service.collection);
  members->second.erase(service.id);
  if (members->second.empty()) collections_.erase(members);
  if (const auto until = end_of_previous(service)) ends_.erase({*until, service.id});
}

// Secrets whose end lies between then and now count in another way, wherever the clock went.
void Directory::take_time(Changes& changes, Time now) {
  const Time first = std::min(now_, now), last = std::max(now_, now);
  now_ = now;
  std::vector<std::int64_t> passed;
  for (auto end = ends_.upper_bound({first, std::numeric_limits<std::int64_t>::max()});
       end != ends_.end() && end->first <= last; ++end)
    passed.push_back(end->second);
  for (const std::int64_t id : passed) {
    const auto service = parties_.at(id)->service;
    drop(changes, *service);
    put(changes, service, now);
  }
}

Directory::Changes Directory::update(const ClusterConfig& config, Time now) {
  Changes changes;
  const auto rows = Services::difference(services_, config.services);
  services_ = config.services;
  for (const auto& row : rows) {
    if (row.before) drop(changes, *row.before);
  }
  take_time(changes, now);
  for (const auto& row : rows) {
    if (row.after) put(changes, row.after, now);
  }
  return changes;
}

Parties Directory::resolve(const std::vector<ServiceRef>& refs) const {
  std::map<std::int64_t, PartyPtr> found;
  for (const ServiceRef& ref : refs) {
    if (ref.kind == ServiceRef::Kind::Collection) {
      const auto members = collections_.find(ref.name);
      if (members != collections_.end())
        found.insert(members->second.begin(), members->second.end());
    } else if (ref.kind == ServiceRef::Kind::Service) {
      const auto party = parties_.find(ref.service_id);
      if (party != parties_.end()) found.insert(*party);
    }
  }
  Parties parties;
  parties.reserve(found.size());
  for (auto& [id, party] : found) parties.push_back(std::move(party));
  return parties;
}

}  // namespace mp::xds
