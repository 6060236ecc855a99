#include "xds/name_set.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace mp::xds {

NameSet::NameSet(const std::vector<std::string_view>& names) {
  Hashes hashes;
  hashes.reserve(names.size());
  for (const std::string_view name : names) hashes.push_back(name_hash(name));
  std::ranges::sort(hashes);
  const auto repeated = std::ranges::unique(hashes);
  hashes.erase(repeated.begin(), repeated.end());
  take(std::move(hashes));
}

const NameSet::Hashes& NameSet::hashes() const {
  static const Hashes none;
  return hashes_ ? *hashes_ : none;
}

void NameSet::take(Hashes hashes) {
  sum_ = {};
  for (const std::uint64_t hash : hashes) sum_.add(hash);
  hashes.shrink_to_fit();
  hashes_ = hashes.empty() ? nullptr : std::make_shared<const Hashes>(std::move(hashes));
}

bool NameSet::contains(std::string_view name) const {
  return hashes_ && std::ranges::binary_search(*hashes_, name_hash(name));
}

void NameSet::insert(const NameSet& other) {
  if (other.empty()) return;
  if (empty()) {
    *this = other;
    return;
  }
  Hashes all;
  all.reserve(size() + other.size());
  std::ranges::set_union(hashes(), other.hashes(), std::back_inserter(all));
  take(std::move(all));
}

bool NameSet::erase(std::string_view name) {
  if (!contains(name)) return false;
  Hashes rest = hashes();
  rest.erase(std::ranges::lower_bound(rest, name_hash(name)));
  take(std::move(rest));
  return true;
}

void NameSet::erase(const NameSet& other) {
  if (empty() || other.empty()) return;
  Hashes rest;
  if (hashes_ != other.hashes_)
    std::ranges::set_difference(hashes(), other.hashes(), std::back_inserter(rest));
  if (rest.size() < size()) take(std::move(rest));
}

void NameSet::share(NameSets& pool) {
  if (size() > 1) *this = pool.like(*this);
}

NameSet NameSets::like(const NameSet& set) {
  const std::lock_guard lock{mutex_};
  for (const NameSet& known : sets_) {
    if (known == set) return known;
  }
  if (sets_.size() == kept) sets_.pop_back();
  sets_.push_front(set);
  return set;
}

}  // namespace mp::xds
