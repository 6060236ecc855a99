// Which streams there are, in which groups, and when each is to be woken: the part of the xDS
// server that knows them all, without gRPC. Owned by xds/server. Its locks are never held while a
// session is called.
#pragma once

#include "base/outside.hpp"
#include "xds/jobs.hpp"
#include "xds/key_checks.hpp"
#include "xds/server.hpp"
#include "xds/session.hpp"

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace mp::xds {

class Switchboard {
 public:
  using OnGroup = std::function<void(const GroupKey&)>;

  // `on_tick` is called ten times a second.
  Switchboard(OnGroup on_group, OnGroup on_group_gone, std::function<void(Time)> on_tick,
              Gate& gate, Status& status, const Clock& clock,
              const MakeJobs& make_jobs = make_threads);
  ~Switchboard();  // stop()

  std::shared_ptr<Session> add(Call call, Line& line);
  void publish(const GroupKey& key, SnapshotPtr snapshot);
  std::vector<GroupKey> groups() const;
  void recheck(std::int64_t cluster_id);
  void close_proxy(std::string_view proxy_id, const std::string& reason);
  bool retry(std::string_view proxy_id);
  // All that have been let in.
  std::vector<std::shared_ptr<Session>> sessions() const;
  // A job that may block for a while; false when there is no place for it.
  bool post(std::function<void()> job) { return jobs_->post(std::move(job)); }
  void stop();  // closes all sessions, ends the jobs

  // For sessions.
  Gate& gate() { return gate_; }
  Status& status() { return status_; }
  Time now() const { return clock_.now(); }
  bool request_admission(std::shared_ptr<Session> session);
  KeyChecks& key_checks() { return key_checks_; }
  void join(const std::shared_ptr<Session>& session, const Admission& admission,
            const GroupKey& group_key, std::uint64_t changes_before);
  void leave(const std::shared_ptr<Session>& session);
  void wake_at(const std::shared_ptr<Session>& session, Time time);

 private:
  using Sessions = std::unordered_map<StreamId, std::shared_ptr<Session>>;
  using ProxyKey = std::pair<std::string, Channel>;
  struct Group {
    Shared shared;
    Publication publication;
    Sessions members;
  };
  struct Place {
    GroupKey group;
    std::optional<ProxyKey> proxy;  // none: many clients may come under one name
  };

  void tick();
  void admit_next();
  std::vector<std::shared_ptr<Session>> due(Time now);
  std::vector<std::shared_ptr<Session>> of_proxy(std::string_view proxy_id) const;

  OnGroup on_group_;
  OnGroup on_group_gone_;
  std::function<void(Time)> on_tick_;
  Gate& gate_;
  Status& status_;
  const Clock& clock_;

  std::mutex order_;  // of the calls of on_group and on_group_gone; taken before mutex_
  mutable std::mutex mutex_;
  StreamId last_id_ = 0;
  bool stopped_ = false;
  Sessions sessions_;
  std::unordered_map<StreamId, Place> places_;
  std::map<GroupKey, Group> groups_;
  std::map<ProxyKey, std::shared_ptr<Session>> proxies_;
  KeyChecks key_checks_;

  std::mutex admission_mutex_;
  // Who has nothing goes before who comes back with what it held: that one serves meanwhile.
  std::deque<std::shared_ptr<Session>> newcomers_;
  std::deque<std::shared_ptr<Session>> returners_;

  std::mutex timer_mutex_;
  std::multimap<Time, std::weak_ptr<Session>> timers_;

  std::unique_ptr<Jobs> jobs_;
};

}  // namespace mp::xds
