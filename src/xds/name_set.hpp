// A set of names, of which there may be thousands on each of thousands of streams. Keeps 8 bytes a
// name (its hash), which copies share, and sets of one pool that are equal. Used by subscription,
// difference and stream.
#pragma once

#include "xds/census.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

namespace mp::xds {

class NameSets;

class NameSet {
 public:
  NameSet() = default;
  explicit NameSet(const std::vector<std::string_view>& names);

  bool contains(std::string_view name) const;
  void insert(const NameSet& other);
  bool erase(std::string_view name);
  void erase(const NameSet& other);
  std::size_t size() const { return hashes_ ? hashes_->size() : 0; }
  bool empty() const { return !hashes_; }
  void clear() { *this = NameSet(); }
  // Equal for equal sets.
  const NameSum& sum() const { return sum_; }
  // From now on one with an equal set of the pool.
  void share(NameSets& pool);
  bool is(const NameSet& other) const { return hashes_ == other.hashes_; }  // the same bytes
  bool operator==(const NameSet& other) const {
    return sum_ == other.sum_ && hashes() == other.hashes();
  }

 private:
  using Hashes = std::vector<std::uint64_t>;  // sorted, none twice

  const Hashes& hashes() const;
  void take(Hashes hashes);

  std::shared_ptr<const Hashes> hashes_;  // null: none
  NameSum sum_;
};

// The sets that streams of one group had last. Safe from any thread.
class NameSets {
 public:
  // An equal one that is known, or `set`, which is known from now on.
  NameSet like(const NameSet& set);

 private:
  static constexpr std::size_t kept = 8;

  std::mutex mutex_;
  std::deque<NameSet> sets_;  // the newest first
};

}  // namespace mp::xds
