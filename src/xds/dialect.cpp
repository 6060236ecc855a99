#include "xds/dialect.hpp"

namespace mp::xds {

std::string version_of(const Resources& resources) {
  VersionSum sum;
  for (const auto& resource : resources) sum.add(resource->name, resource->version);
  return sum.text();
}

}  // namespace mp::xds
