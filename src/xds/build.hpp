// Translates the intent of a cluster into what one group of proxies is given (data plane: intent to
// listeners). A pure function of its arguments: equal input gives equal bytes in any process. The
// Builder object only remembers translations of objects that did not change, so that one edit among
// thousands costs little; forgetting them changes nothing but time. Not thread-safe: one owner
// each.
#pragma once

#include "base/time.hpp"
#include "xds/config.hpp"
#include "xds/proxyless.hpp"
#include "xds/snapshot.hpp"

#include <memory>
#include <string>

namespace mp::xds {

// The Envoy cluster of the bootstrap that leads to the manager.
inline constexpr std::string_view control_plane_cluster = "marchproxy_xds";

// What a cluster's proxies send records about; `auth`: decisions about callers.
struct Logging {
  bool auth = false;
  bool netflow = false;
  bool debug = false;
  bool any() const { return auth || netflow || debug; }
  auto operator<=>(const Logging&) const = default;
};
Logging logging_of(const Cluster& cluster);

// Who is built for: proxies of one cluster that agree in these share a snapshot.
struct Audience {
  ProxyType type = ProxyType::Egress;
  std::string listen_address = "0.0.0.0";
  Flavour flavour = Flavour::Delta;
  Logging logging = {};  // of the cluster; the builder takes it from there
  auto operator<=>(const Audience&) const = default;
};

class Builder {
 public:
  explicit Builder(Audience audience);
  ~Builder();

  // `now` decides which previous secrets still count. Never throws for what rows contain: an object
  // that cannot be translated becomes a Finding.
  SnapshotPtr build(const ClusterConfig& config, Time now);

 private:
  struct Memory;
  std::unique_ptr<Memory> memory_;
  std::unique_ptr<ProxylessBuilder> proxyless_;  // of clients without a proxy: then that alone
};

// What the rules of Envoy would refuse in a whole response: dangling references, duplicate names,
// domains or chain matches, proto constraints of top-level messages. One sentence a breach; empty
// when it is sound.
std::vector<std::string> inconsistencies(const Snapshot& snapshot);

// A TCP mapping that nothing tells apart from `candidate` (same port, no distinct literal source),
// or nullptr. Writing `candidate` is refused with 409 naming it.
const Mapping* tcp_clash(const ClusterConfig& config, const Mapping& candidate);

// Whether `hosts`/SNI/domain claims etc. give this mapping anything at all for proxies of this
// type: used to tell which proxies a change concerns.
bool concerns(const Mapping& mapping, ProxyType type);

}  // namespace mp::xds
