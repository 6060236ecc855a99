#include "xds/difference.hpp"

#include <utility>

namespace mp::xds {
namespace {

std::vector<Change> difference_of(const Catalogue& from, const Catalogue& to) {
  std::vector<Change> changes;
  for (auto& [before, after] : Catalogue::difference(from, to)) {
    if (before && after && before->version == after->version) continue;
    changes.push_back({.before = std::move(before), .after = std::move(after)});
  }
  return changes;
}

Bundle bundle_of(Type type, std::vector<Sent> sends) {
  Bundle bundle{.sends = std::move(sends), .batches = {}};
  bundle.batches = batches(type, bundle.sends);
  return bundle;
}

Whole whole_of(Type type, const Catalogue& catalogue) {
  std::vector<Sent> sends;
  std::vector<std::string_view> names;
  for (const ResourcePtr& resource : catalogue) {
    sends.push_back({.resource = resource, .before = nullptr});
    names.push_back(resource->name);
  }
  return {.bundle = bundle_of(type, std::move(sends)), .names = NameSet(names)};
}

std::optional<Bundle> bundle_of(Type type, const std::vector<Change>& changes) {
  std::vector<Sent> sends;
  for (const Change& change : changes) {
    if (!change.after) return std::nullopt;
    sends.push_back({.resource = change.after, .before = change.before});
  }
  if (sends.empty()) return std::nullopt;
  return bundle_of(type, std::move(sends));
}

Step step(const SnapshotPtr& from, const SnapshotPtr& to) {
  Step result{.difference = difference(from ? *from : Snapshot{}, *to), .bundles = {}};
  if (!from) return result;  // who has nothing takes Whole, or names that few others take
  for (std::size_t type = 0; type < type_count; ++type)
    result.bundles[type] = bundle_of(static_cast<Type>(type), result.difference[type]);
  return result;
}

}  // namespace

Difference difference(const Snapshot& from, const Snapshot& to) {
  Difference result;
  for (std::size_t type = 0; type < type_count; ++type) {
    result[type] = difference_of(from.types[type], to.types[type]);
  }
  return result;
}

std::shared_ptr<const Step> Differences::between(const SnapshotPtr& from, const SnapshotPtr& to) {
  // Held while computing: the streams that come meanwhile want the same answer.
  const std::lock_guard lock{mutex_};
  for (const auto& entry : entries_) {
    if (entry.from == from && entry.to == to) return entry.value;
  }
  if (entries_.size() == kept) entries_.erase(entries_.begin());
  auto value = std::make_shared<const Step>(step(from, to));
  entries_.push_back({.from = from, .to = to, .value = value});
  return value;
}

std::shared_ptr<const Whole> Differences::whole(const SnapshotPtr& snapshot, Type type) {
  const std::lock_guard lock{whole_mutex_};
  if (whole_of_ != snapshot) {
    whole_of_ = snapshot;
    wholes_ = {};
  }
  auto& whole = wholes_[static_cast<std::size_t>(type)];
  if (!whole) whole = std::make_shared<const Whole>(whole_of(type, snapshot->of(type)));
  return whole;
}

}  // namespace mp::xds
