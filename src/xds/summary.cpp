#include "xds/summary.hpp"

#include <algorithm>

namespace mp::xds {

void Summary::take(const GroupKey& group, const Snapshot& snapshot) {
  Part& part = parts_[group];
  if (part.findings != snapshot.findings) findings_ = nullptr;
  if (!part.secrets.is(snapshot.of(Type::Secret))) certificates_ = nullptr;
  part = {snapshot.findings, snapshot.of(Type::Secret)};
}

void Summary::drop(const GroupKey& group) {
  if (parts_.erase(group) == 0) return;
  findings_ = nullptr;
  certificates_ = nullptr;
}

const std::shared_ptr<const Findings>& Summary::findings() {
  if (findings_) return findings_;
  if (parts_.size() == 1) return findings_ = parts_.begin()->second.findings;
  Findings all;
  for (const auto& [group, part] : parts_)
    all.insert(all.end(), part.findings->begin(), part.findings->end());
  std::ranges::sort(all);
  const auto repeated = std::ranges::unique(all);
  all.erase(repeated.begin(), repeated.end());
  return findings_ = std::make_shared<const Findings>(std::move(all));
}

const std::shared_ptr<const Summary::Certificates>& Summary::certificates() {
  if (certificates_) return certificates_;
  Certificates all;
  for (const auto& [group, part] : parts_) {
    for (const ResourcePtr& secret : part.secrets) {
      for (const Object& origin : secret->origins) {
        if (origin.type == "certificate") all.insert(origin.id);
      }
    }
  }
  return certificates_ = std::make_shared<const Certificates>(std::move(all));
}

}  // namespace mp::xds
