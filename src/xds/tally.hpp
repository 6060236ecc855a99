// The findings of many parts, each of which replaces its own: a finding stays as long as one part
// has it. Used by build.cpp and port.cpp.
#pragma once

#include "xds/snapshot.hpp"

#include <map>
#include <memory>
#include <vector>

namespace mp::xds {

class Tally {
 public:
  // One part had `old` and has `next` now.
  void replace(const std::vector<Finding>& old, const std::vector<Finding>& next) {
    for (const Finding& finding : next) {
      if (++counts_[finding] == 1) sorted_ = nullptr;
    }
    for (const Finding& finding : old) {
      const auto at = counts_.find(finding);
      if (--at->second > 0) continue;
      counts_.erase(at);
      sorted_ = nullptr;
    }
  }

  // The same object as before when nothing changed.
  const std::shared_ptr<const Findings>& sorted() {
    if (sorted_) return sorted_;
    Findings findings;
    findings.reserve(counts_.size());
    for (const auto& [finding, count] : counts_) findings.push_back(finding);
    return sorted_ = std::make_shared<const Findings>(std::move(findings));
  }

 private:
  std::map<Finding, int> counts_;
  std::shared_ptr<const Findings> sorted_;  // null: to be made
};

}  // namespace mp::xds
