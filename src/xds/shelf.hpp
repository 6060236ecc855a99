// All resources of one type, by name. Changes are collected and taken in one go. Used by build.cpp.
#pragma once

#include "xds/snapshot.hpp"

#include <string>

namespace mp::xds {

class Shelf {
 public:
  // Replaces the resource of that name, or takes it away when `resource` is null.
  void put(const std::string& name, ResourcePtr resource);

  // The resource of that name as it is with the changes so far, or null.
  ResourcePtr find(const std::string& name) const;

  // Everything, with the changes.
  const Catalogue& settle();
  // Of what was settled.
  const Census& census() const { return census_; }

 private:
  Catalogue settled_;
  Census census_;
  Catalogue::Changes changes_;
};

}  // namespace mp::xds
