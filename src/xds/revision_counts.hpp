// How many stand at each revision. Thousands of proxies stand at the same few, so that most moves
// allocate nothing. Used by status.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

namespace mp::xds {

class RevisionCounts {
 public:
  bool empty() const { return counts_.empty(); }
  // Of those where somebody stands; not when it is empty.
  std::int64_t lowest() const { return counts_.begin()->first; }
  std::int64_t highest() const { return counts_.rbegin()->first; }

  void add(std::int64_t revision) { ++counts_[revision]; }
  void remove(std::int64_t revision) {
    const auto found = counts_.find(revision);
    if (found != counts_.end() && --found->second == 0) counts_.erase(found);
  }
  void move(std::int64_t from, std::int64_t to) {
    if (from == to) return;
    remove(from);
    add(to);
  }

 private:
  std::map<std::int64_t, std::size_t> counts_;
};

}  // namespace mp::xds
