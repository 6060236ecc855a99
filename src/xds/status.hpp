// What every proxy holds, lacks and refuses: written by the xDS server, read by the API, safe from
// any thread. Also the place to wait until a change is live (`Prefer: wait`). It keeps nothing on
// disk and never calls back under its lock. Every event costs O(log n), however many proxies and
// waits there are.
#pragma once

#include "base/time.hpp"
#include "xds/snapshot.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mp::xds {

// Idle: no connected proxy is concerned (only an answer of a wait, never the state of a proxy).
enum class State { Live, Pending, Rejected, Offline, Idle };
std::string_view to_string(State state);  // "live", "pending", …

// One resource version that one proxy refused. `since` is the first refusal of this version.
struct Refusal {
  Type type = Type::Cluster;
  std::string resource;
  std::string version;
  Object object;
  std::string message;  // the proxy's own words, without its dump of the resource
  Time since;
  std::int64_t revision = 0;  // of the snapshot it was refused in
  bool operator==(const Refusal&) const = default;
};

struct HeldType {
  std::string type_url;
  std::string version;
  std::size_t resources = 0;
};

// Where one resource stands at a client.
struct HeldResource {
  enum class Standing { Synced, Sent, Unsent, Refused };
  Type type = Type::Cluster;
  std::string name;
  Standing standing = Standing::Unsent;
  ResourcePtr held;              // what it uses; null: nothing
  std::optional<Time> answered;  // when it last acknowledged something of this type
};

struct ProxyState {
  std::string proxy_id;
  std::int64_t cluster_id = 0;
  std::string hostname;
  bool connected = false;
  std::int64_t revision = 0;  // everything up to here is acknowledged or refused
  State state = State::Offline;
  Time since;                   // of `state`
  std::vector<HeldType> types;  // only by get(), and only while connected
  std::vector<Refusal> rejected;
};

struct ObjectRefusal {
  std::string proxy_id;
  std::string message;
  Time since;
};

// What a stream tells about its proxy after each step.
struct Progress {
  std::int64_t revision = 0;  // settled up to here: acknowledged or refused
  std::int64_t changed = 0;   // the last revision that sent this proxy anything
  bool settled = false;       // nothing is on its way
  bool operator==(const Progress&) const = default;
};

// Names the stream that reports, so that a late report of a closed stream does not touch its
// successor's.
using StreamId = std::uint64_t;

struct Newcomer {
  StreamId stream = 0;
  std::string proxy_id;
  std::int64_t cluster_id = 0;
  std::string hostname;
  std::function<std::vector<HeldType>()> held;  // asked by get(), without locks; may take a while
};

struct Counters {
  std::atomic<std::uint64_t> pushes{0};
  std::atomic<std::uint64_t> acknowledgements{0};
  std::atomic<std::uint64_t> refusals{0};
  std::atomic<std::int64_t> streams{0};
  std::atomic<std::uint64_t> log_entries{0};   // of access logs, that came in
  std::atomic<std::int64_t> log_streams{0};    // open, of access logs
  std::atomic<std::uint64_t> log_refusals{0};  // of those, refused or ended by the manager
};

class Status {
 public:
  Status();
  ~Status();
  Status(const Status&) = delete;
  Status& operator=(const Status&) = delete;

  // For the API. A proxy that never connected to this process is unknown: nullopt, or not in the
  // list.
  std::optional<ProxyState> get(std::string_view proxy_id) const;
  std::vector<ProxyState> of_cluster(
      std::int64_t cluster_id) const;  // by proxy id, without `types`

  // As of_cluster, but state and since tell where `revision` stands: live since it was settled
  // there, rejected when it was refused with it and still is.
  std::vector<ProxyState> at_revision(std::int64_t cluster_id, std::int64_t revision) const;

  // The revision up to which every connected proxy of the cluster has settled; nullopt when none is
  // connected.
  std::optional<std::int64_t> settled_by_all(std::int64_t cluster_id) const;

  std::vector<ObjectRefusal> object_refusals(std::string_view type, std::int64_t id) const;
  // Only the refusals of one cluster's proxies: [(object, refusal)], sorted by object.
  std::vector<std::pair<Object, ObjectRefusal>> cluster_refusals(std::int64_t cluster_id) const;

  // Calls `done` exactly once: with Live, Rejected or Idle when every connected proxy of the
  // cluster has settled at or after `revision`, with Pending at the deadline. Calls at once when
  // that is so already. `done` runs on the caller's or an xDS thread and must not block. At most
  // 100,000 waits are kept; one more is answered Pending at once.
  void when_settled(std::int64_t cluster_id, std::int64_t revision, Time deadline,
                    std::function<void(State)> done);

  // Ends waits whose deadline has come, and all when the clock was set back. The xDS server's timer
  // thread calls it every 100 ms.
  void tick(Time now);

  // Answers every wait with Pending and all later ones too; for the end of the program.
  void close();

  // Forgets a proxy that was deleted; one that is connected stays until its stream ends.
  void forget(std::string_view proxy_id);

  // For the server.
  void connected(const Newcomer& newcomer, Time now);
  void report(StreamId stream, const Progress& progress, Time now);
  void report_refusals(StreamId stream, std::vector<Refusal> refusals, Time now);
  void disconnected(StreamId stream, Time now);

  Counters& counters();
  const Counters& counters() const;

 private:
  struct Book;
  std::unique_ptr<Book> book_;
  Counters counters_;
};

}  // namespace mp::xds
