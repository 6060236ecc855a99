// Who may open a discovery stream: the server asks, the application answers from its database.
// Implemented by app/, called by xds/server from its own admission threads, so it may block for a
// while. It never sees the stream, only the key and what the node says about itself.
#pragma once

#include "base/error.hpp"
#include "base/time.hpp"
#include "xds/snapshot.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mp::xds {

// What a client says about itself in its first request; only `id` has been checked
// (`[A-Za-z0-9._-]{1,64}`), everything else may be empty and is at most 512 bytes.
struct NodeInfo {
  std::string id;
  std::string cluster;         // node.cluster
  std::string proxy_type;      // node.metadata.proxy_type
  std::string listen_address;  // node.metadata.listen_address
  std::string peer;            // "203.0.113.5", without a port
  std::string version;         // "1.40.0" or the client's own words
  bool proxyless = false;      // calls services itself: is never registered as a proxy
};

struct Admission {
  std::int64_t cluster_id = 0;
  std::string cluster_name;
  std::string proxy_id;
  std::string hostname;
  ProxyType type = ProxyType::Egress;
  std::string listen_address;
  std::optional<Time> key_valid_until = std::nullopt;  // set for a previous key: when it ends
};

class Gate {
 public:
  virtual ~Gate() = default;

  // Registers the node when it is new. Throws mp::Error: Authentication (no or wrong key),
  // Permission (the node is another cluster's), Feature (licence limit; becomes
  // RESOURCE_EXHAUSTED), Validation, Unavailable (database); any other exception ends the stream
  // with INTERNAL and no text.
  virtual Admission admit(std::string_view cluster_key, const NodeInfo& node) = 0;

  // Lets in who asks what all proxies hold. Throws Authentication or Permission.
  virtual void admit_reader(std::string_view token, std::string_view peer) = 0;

  // Whether the key still opens the cluster: the time when it ends (none: no end in sight). Throws
  // Authentication or Permission when it does not; on any other error the stream stays as it was.
  virtual std::optional<Time> check(std::string_view cluster_key, std::int64_t cluster_id) = 0;
};

}  // namespace mp::xds
