// Keeps every cluster's intent in step with the change log and gives the xDS server a snapshot
// whenever its bytes, or only the revision, changed. One thread of its own; it is woken by commits
// and by groups that appear. The API asks it where a change is live and what became of an object.
#pragma once

#include "model/proxy.hpp"
#include "model/status.hpp"
#include "store/store.hpp"
#include "xds/build.hpp"
#include "xds/calendar.hpp"
#include "xds/consistent.hpp"
#include "xds/server.hpp"
#include "xds/status.hpp"
#include "xds/summary.hpp"

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>

namespace mp::xds {

// Objects, as (noun, id), with the revision of their last change.
using Objects = std::map<std::pair<std::string, std::int64_t>, std::int64_t>;

// What is known about a cluster's fleet at one moment, to tell the status of its objects from.
struct ClusterView {
  bool connected = false;
  std::int64_t held = 0;  // every connected proxy has settled up to here
  Objects changed;
  std::shared_ptr<const Findings> findings = std::make_shared<const Findings>();
  std::vector<std::pair<Object, ObjectRefusal>> refusals;
  std::shared_ptr<const Summary::Certificates> certificates;  // that proxies are given; or null

  mp::Status of(std::string_view noun, std::int64_t id) const;
};

class Hub {
 public:
  Hub(Store& store, Status& status, const Clock& clock);
  ~Hub();
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  // Before start(): who is given the snapshots, and who is told when a cluster that proxies have
  // asked for is first seen or is itself changed (from the hub's thread, without locks).
  void serve(Server& server);
  using OnCluster = std::function<void(const Cluster&)>;
  void tell(OnCluster on_cluster) { on_cluster_ = std::move(on_cluster); }
  void start();
  void stop();

  // There is something new in the change log. Cheap; from any thread.
  void wake();
  // A group of proxies appeared, or its last one left. From any thread.
  void add_group(const GroupKey& group);
  void drop_group(const GroupKey& group);

  // Has the cluster's intent kept from now on, proxies or not, and waits for it; at most a few
  // seconds. From any thread but the hub's.
  void follow(std::int64_t cluster_id);
  // Its intent as the hub knows it; null unless it is kept.
  ClusterConfigPtr config(std::int64_t cluster_id) const;

  // What the fleet makes of the objects of a cluster, at this moment.
  ClusterView view(std::int64_t cluster_id,
                   const std::vector<std::pair<std::string, std::int64_t>>& objects) const;
  Findings findings(std::int64_t cluster_id) const;
  // Those that have had proxies since this process began.
  std::vector<std::int64_t> clusters() const;
  Status& status() { return status_; }
  Server* server() { return server_; }
  // The revision up to which every group has been published.
  std::int64_t revision() const;

 private:
  struct ClusterState {
    ClusterConfigPtr config;
    Objects changed;                 // since this process began
    std::optional<Time> rebuild_at;  // when a secret or certificate ends
    std::shared_ptr<const Findings> findings = std::make_shared<const Findings>();
    std::shared_ptr<const Summary::Certificates> certificates;  // in the snapshots; or null
  };

  // What one group's snapshots are made and checked with; both remember the last one.
  struct Group {
    explicit Group(Audience audience) : builder(std::move(audience)) {}
    Builder builder;
    Consistency consistency;
  };

  void run();
  // Reads what is new and publishes what follows; true when there is more to read.
  bool round();
  void take_groups(Reader& db);
  void take_group(Reader& db, const GroupKey& key);
  void take_followed(Reader& db);
  bool know(Reader& db, std::int64_t cluster_id);
  bool take_changes(Reader& db);
  std::vector<std::int64_t> concerned(const ChangeHead& entry) const;
  void take_cluster(Reader& db, std::int64_t cluster_id, const Objects& objects);
  void mark_due(Time now);
  void publish(std::int64_t cluster_id);
  void keep_findings(std::int64_t cluster_id, Summary& summary, std::optional<Time> rebuild_at);
  Milliseconds pause() const;

  Store& store_;
  Status& status_;
  const Clock& clock_;
  Server* server_ = nullptr;
  OnCluster on_cluster_ = [](const Cluster&) {};

  mutable std::mutex mutex_;  // guards what follows; never held while building
  std::condition_variable wake_;
  bool woken_ = false;
  bool stopping_ = false;
  std::vector<GroupKey> arrived_;
  std::vector<GroupKey> left_;
  std::vector<std::int64_t> followed_;  // to be loaded
  std::condition_variable known_;       // one of them is
  std::unordered_map<std::int64_t, ClusterState> clusters_;
  std::int64_t revision_ = 0;

  // Only the hub's thread. What could not be read or built stays here and is tried in the next
  // round.
  std::map<GroupKey, Group> groups_;
  struct Outlook {
    Summary summary;
    Calendar calendar;
  };
  std::map<std::int64_t, Outlook> outlooks_;  // by cluster
  std::vector<GroupKey> pending_groups_;
  std::set<std::int64_t> dirty_;  // clusters to build
  bool failing_ = false;
  Time last_look_;
  std::thread thread_;
};

}  // namespace mp::xds
