#include "xds/directory.hpp"

#include <algorithm>
#include <limits>

namespace mp::xds {
namespace {

bool counts(const std::optional<Time>& previous_until, Time now) {
  return previous_until && *previous_until > now;
}

}  // namespace

bool has_any(const std::vector<ServiceRef>& refs) {
  return std::ranges::any_of(
      refs, [](const ServiceRef& ref) { return ref.kind == ServiceRef::Kind::Any; });
}

bool Directory::Changes::concern(const std::vector<ServiceRef>& refs) const {
  if (services.empty() && collections.empty()) return false;
  return std::ranges::any_of(refs, [&](const ServiceRef& ref) {
    if (ref.kind == ServiceRef::Kind::Service) return services.contains(ref.service_id);
    return ref.kind == ServiceRef::Kind::Collection && collections.contains(ref.name);
  });
}

bool Directory::Entry::holds(const std::shared_ptr<const Service>& service, Time now) const {
  return party->service == service && party->previous_counts == counts(previous_until, now);
}

Directory::Entry Directory::make_entry(const std::shared_ptr<const Service>& service, Time now) {
  const auto until = service->previous_secret ? service->previous_secret_until : std::nullopt;
  return {.id = service->id,
          .party = std::make_shared<const Party>(Party{service, counts(until, now)}),
          .previous_until = until};
}

// `party` is null for a service that is gone.
void Directory::note(Changes& changes, const Service& service, const PartyPtr& party) {
  changes.services.insert(service.id);
  changes.collections.insert(service.collection);
  auto& members = collections_[service.collection];
  if (party) {
    members[service.id] = party;
    return;
  }
  members.erase(service.id);
  if (members.empty()) collections_.erase(service.collection);
}

Directory::Changes Directory::update(const ClusterConfig& config, Time now) {
  Changes changes;
  std::vector<Entry> next;
  next.reserve(config.services.size());
  auto old = entries_.begin();
  const auto drop_before = [&](std::int64_t id) {
    for (; old != entries_.end() && old->id < id; ++old)
      note(changes, *old->party->service, nullptr);
  };
  for (const auto& service : config.services) {
    drop_before(service->id);
    const bool known = old != entries_.end() && old->id == service->id;
    if (known && old->holds(service, now)) {
      next.push_back(std::move(*old++));
      continue;
    }
    if (known) note(changes, *(old++)->party->service, nullptr);
    next.push_back(make_entry(service, now));
    note(changes, *service, next.back().party);
  }
  drop_before(std::numeric_limits<std::int64_t>::max());
  entries_ = std::move(next);
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
      const auto entry = std::ranges::lower_bound(entries_, ref.service_id, {}, &Entry::id);
      if (entry != entries_.end() && entry->id == ref.service_id)
        found.emplace(entry->id, entry->party);
    }
  }
  Parties parties;
  parties.reserve(found.size());
  for (auto& [id, party] : found) parties.push_back(std::move(party));
  return parties;
}

}  // namespace mp::xds
