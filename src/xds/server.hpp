// The gRPC server that proxies speak to: aggregated discovery, delta and state-of-the-world, over
// the pure protocol of xds/stream. Built and owned by app/manager; xds/hub gives it snapshots. It
// decides nothing about content, and leaves the wire to rpc/server.
#pragma once

#include "base/outside.hpp"
#include "net/tls.hpp"
#include "xds/gate.hpp"
#include "xds/snapshot.hpp"
#include "xds/status.hpp"

#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mp::xds {

class LogSink;

// The proxies that are given one and the same snapshot.
struct GroupKey {
  std::int64_t cluster_id = 0;
  ProxyType type = ProxyType::Egress;
  std::string listen_address;
  Flavour flavour = Flavour::Delta;  // of the routes, see form.hpp; not always the one it speaks
  auto operator<=>(const GroupKey&) const = default;
};

using ServerTls = net::ServerTls;

struct ServerOptions {
  std::string listen = "0.0.0.0:18000";  // port 0: any free one, see port()
  std::optional<ServerTls> tls = std::nullopt;
  LogSink* logs = nullptr;  // of access logs; must outlive the server; without it none are taken

  // The first stream of a group came, or its last one went. Called without locks from any thread;
  // must not block. The answer to `on_group` is a publish(), at any time, from any thread.
  std::function<void(const GroupKey&)> on_group = {};
  std::function<void(const GroupKey&)> on_group_gone = {};
};

class Server {
 public:
  Server(ServerOptions options, Gate& gate, Status& status, const Clock& clock);
  ~Server();  // stops
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Throws mp::Error (Unavailable) when the address cannot be bound or the TLS files do not parse.
  void start();
  int port() const;

  // Gives a group its newest snapshot; one with a lower revision than the present one is ignored,
  // one of a group without streams too. Publish also when only the revision grew: then nothing is
  // sent, but the proxies count as level with it.
  void publish(const GroupKey& group, SnapshotPtr snapshot);
  std::vector<GroupKey> groups() const;  // those with streams

  // Asks the gate again for every stream of the cluster (0: of all clusters); closes those whose
  // key opens it no more. Returns at once, the asking is done by the admission threads.
  void recheck(std::int64_t cluster_id);

  // Ends the proxy's stream with PERMISSION_DENIED and the reason.
  void close_proxy(std::string_view proxy_id, std::string_view reason);

  // Sends refused resources again now. False when the proxy has no stream here.
  bool retry(std::string_view proxy_id);

  // Another certificate for connections to come; without effect on a server without TLS. From any
  // thread.
  void renew(ServerTls tls);

  // Closes all streams (UNAVAILABLE) and waits for the end of all callbacks; at most 5 s.
  // Idempotent.
  void stop();

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace mp::xds
