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

const Catalogue& Shelf::settle() {
  std::erase_if(changes_, [&](const auto& change) {
    const auto& [name, fresh] = change;
    const auto old = find_resource(settled_, name);
    if (old == fresh) return true;
    if (old) census_.remove(name, old->version);
    if (fresh) census_.add(name, fresh->version);
    return false;
  });
  settled_.take(changes_);
  changes_.clear();
  return settled_;
}

}  // namespace mp::xds
