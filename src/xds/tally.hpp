// The findings of many parts, each of which replaces its own: a finding stays as long as one part
// has it. Used by build.cpp and port.cpp.
#pragma once

#include "xds/snapshot.hpp"

#include <map>
#include <vector>

namespace mp::xds {

class Tally {
 public:
  // One part had `old` and has `next` now.
  void replace(const std::vector<Finding>& old, const std::vector<Finding>& next) {
    for (const Finding& finding : next) ++counts_[finding];
    for (const Finding& finding : old) {
      const auto at = counts_.find(finding);
      if (--at->second == 0) counts_.erase(at);
    }
  }

  std::vector<Finding> sorted() const {
    std::vector<Finding> findings;
    findings.reserve(counts_.size());
    for (const auto& [finding, count] : counts_) findings.push_back(finding);
    return findings;
  }

 private:
  std::map<Finding, int> counts_;
};

}  // namespace mp::xds
