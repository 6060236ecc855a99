#include "xds/snapshot.hpp"

namespace mp::xds {

ResourcePtr find_resource(const Catalogue& resources, std::string_view name) {
  return resources.find(name);
}

}  // namespace mp::xds
