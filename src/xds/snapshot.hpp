// What one group of proxies (a cluster, a proxy type, a listen address, a protocol flavour) is
// given: an immutable set of Envoy resources, each serialised once. Made by xds/build, handed out
// by xds/hub, read by every stream. Two snapshots share the resources that did not change, by
// pointer.
#pragma once

#include "xds/census.hpp"
#include "xds/rows.hpp"
#include "xds/type.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mp::xds {

// The row a resource was made from, to name it when a proxy refuses the resource.
struct Object {
  std::string type;  // "service", "mapping", "certificate", "issuer"
  std::int64_t id = 0;
  std::string name;
  auto operator<=>(const Object&) const = default;
};

struct Resource {
  std::string name;
  std::string version;  // hex hash of `body`: equal content has an equal version in any process
  std::string body;     // google.protobuf.Any, deterministically serialised
  std::vector<Object> origins;  // the first one is blamed for a refusal
};

using ResourcePtr = std::shared_ptr<const Resource>;
using Resources = std::vector<ResourcePtr>;
// All of one type in a snapshot, by name; what did not change is shared with the snapshot before.
using Catalogue = Rows<Resource, &Resource::name>;

// State-of-the-world clients, and older Envoys, get route configurations where delta clients get
// scoped routes.
enum class Flavour { Delta, StateOfTheWorld };
// Proxyless: no proxy at all, but a client that calls services itself.
enum class ProxyType { Egress, Ingress, Proxyless };

// What the build found out about an object besides its resources.
enum class Condition { Shadowed, Unsupported, Warning };
struct Finding {
  Object object;
  Condition condition = Condition::Warning;
  std::string message;
  auto operator<=>(const Finding&) const = default;
};

using Findings = std::vector<Finding>;

struct Snapshot {
  std::int64_t revision = 0;  // the change log is contained up to here
  std::array<Catalogue, type_count> types;
  // Of each type, as long as it is known: then who holds the same is known by it. Else empty.
  std::array<Census, type_count> censuses;
  // Sorted; never null.
  std::shared_ptr<const Findings> findings = std::make_shared<const Findings>();
  const Catalogue& of(Type type) const { return types[static_cast<std::size_t>(type)]; }
};

using SnapshotPtr = std::shared_ptr<const Snapshot>;

// The resource of that name, or nullptr.
ResourcePtr find_resource(const Catalogue& resources, std::string_view name);

}  // namespace mp::xds
