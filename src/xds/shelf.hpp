// All resources of one type, sorted by name, in a vector that is copied for each snapshot; changes
// are collected and merged in one go, because there are thousands and one edit changes few. Used by
// build.cpp.
#pragma once

#include "xds/snapshot.hpp"

#include <map>
#include <string>

namespace mp::xds {

class Shelf {
 public:
  // Replaces the resource of that name, or takes it away when `resource` is null.
  void put(const std::string& name, ResourcePtr resource);

  // The resource of that name as it is with the changes so far, or null.
  ResourcePtr find(const std::string& name) const;

  // Everything, with the changes.
  const Resources& settle();

 private:
  Resources settled_;
  std::map<std::string, ResourcePtr> changes_;
};

}  // namespace mp::xds
