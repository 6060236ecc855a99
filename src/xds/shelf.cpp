#include "xds/shelf.hpp"

#include "xds/encode.hpp"

namespace mp::xds {

void Shelf::put(const std::string& name, ResourcePtr resource) {
  if (resource) resource = keep_equal(find_resource(settled_, name), std::move(resource));
  changes_[name] = std::move(resource);
}

ResourcePtr Shelf::find(const std::string& name) const {
  const auto changed = changes_.find(name);
  return changed != changes_.end() ? changed->second : find_resource(settled_, name);
}

const Resources& Shelf::settle() {
  if (changes_.empty()) return settled_;
  Resources merged;
  merged.reserve(settled_.size() + changes_.size());
  auto old = settled_.begin();
  for (auto& [name, resource] : changes_) {
    while (old != settled_.end() && (*old)->name < name) merged.push_back(std::move(*old++));
    if (old != settled_.end() && (*old)->name == name) ++old;
    if (resource) merged.push_back(std::move(resource));
  }
  merged.insert(merged.end(), std::make_move_iterator(old),
                std::make_move_iterator(settled_.end()));
  settled_ = std::move(merged);
  changes_.clear();
  return settled_;
}

}  // namespace mp::xds
