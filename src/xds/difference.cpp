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

Whole whole_of(Type type, const Catalogue& catalogue) {
  std::vector<Sent> sends;
  std::vector<std::string_view> names;
  for (const ResourcePtr& resource : catalogue) {
    sends.push_back({.resource = resource, .before = nullptr});
    names.push_back(resource->name);
  }
  Whole whole{.sends = std::move(sends), .batches = {}, .names = NameSet(names)};
  whole.batches = batches(type, whole.sends);
  return whole;
}

}  // namespace

Difference difference(const Snapshot& from, const Snapshot& to) {
  Difference result;
  for (std::size_t type = 0; type < type_count; ++type) {
    result[type] = difference_of(from.types[type], to.types[type]);
  }
  return result;
}

std::shared_ptr<const Difference> Differences::between(const SnapshotPtr& from,
                                                       const SnapshotPtr& to) {
  // Held while computing: the streams that come meanwhile want the same answer.
  const std::lock_guard lock{mutex_};
  for (const auto& entry : entries_) {
    if (entry.from == from && entry.to == to) return entry.value;
  }
  if (entries_.size() == kept) entries_.erase(entries_.begin());
  auto value = std::make_shared<const Difference>(difference(from ? *from : Snapshot{}, *to));
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
