#include "xds/switchboard.hpp"

#include "base/error.hpp"
#include "base/prefetch.hpp"

#include <utility>

namespace mp::xds {
namespace {

constexpr int aborted_status = 10;

}  // namespace

Switchboard::Switchboard(OnGroup on_group, OnGroup on_group_gone, std::function<void(Time)> on_tick,
                         Gate& gate, Status& status, const Clock& clock, const MakeJobs& make_jobs)
    : on_group_(std::move(on_group)),
      on_group_gone_(std::move(on_group_gone)),
      on_tick_(std::move(on_tick)),
      gate_(gate),
      status_(status),
      clock_(clock),
      key_checks_(gate, clock, [this](auto job) { return jobs_->post(std::move(job)); }),
      jobs_(make_jobs([this] { tick(); })) {}

Switchboard::~Switchboard() { stop(); }

std::shared_ptr<Session> Switchboard::add(Call call, Line& line) {
  const std::lock_guard lock{mutex_};
  auto session = std::make_shared<Session>(++last_id_, std::move(call), line, *this);
  if (stopped_) return nullptr;
  sessions_.emplace(session->id(), session);
  return session;
}

bool Switchboard::request_admission(std::shared_ptr<Session> session) {
  auto& queue = session->returns() ? returners_ : newcomers_;
  {
    const std::lock_guard lock{admission_mutex_};
    queue.push_back(session);
  }
  if (jobs_->post([this] { admit_next(); })) return true;
  const std::lock_guard lock{admission_mutex_};
  return std::erase(queue, session) == 0;  // another one's job may have let it in meanwhile
}

void Switchboard::admit_next() {
  std::shared_ptr<Session> session;
  {
    const std::lock_guard lock{admission_mutex_};
    auto& next = newcomers_.empty() ? returners_ : newcomers_;
    if (next.empty()) return;
    session = std::move(next.front());
    next.pop_front();
  }
  session->admit();
}

// Called on an admission thread.
void Switchboard::join(const std::shared_ptr<Session>& session, const Admission& admission,
                       const GroupKey& group_key, std::uint64_t changes_before) {
  Place place{.group = group_key, .proxy = std::nullopt};
  if (group_key.type != ProxyType::Proxyless)
    place.proxy = ProxyKey{admission.proxy_id, session->call().channel};
  std::shared_ptr<Session> replaced;
  Shared shared;
  Publication publication;
  {
    const std::lock_guard order{order_};
    bool first = false;
    {
      const std::lock_guard lock{mutex_};
      if (!sessions_.contains(session->id())) return;  // it left meanwhile
      Group& group = groups_[place.group];
      first = group.members.empty();
      group.members.emplace(session->id(), session);
      places_.emplace(session->id(), place);
      if (place.proxy) replaced = std::exchange(proxies_[*place.proxy], session);
      shared = group.shared;
      publication = group.publication;
    }
    if (first && on_group_) on_group_(place.group);
  }
  session->open(admission, shared, publication);
  // Only now, so that the proxy does not look offline in between.
  if (replaced) replaced->close(aborted_status, "another stream of this proxy took its place");
  // The key may have ended between the answer of the gate and the entry into the group.
  if (changes_before != key_checks_.changes()) key_checks_.ask({session});
}

void Switchboard::leave(const std::shared_ptr<Session>& session) {
  const std::lock_guard order{order_};
  std::optional<GroupKey> gone;
  {
    const std::lock_guard lock{mutex_};
    sessions_.erase(session->id());
    const auto found = places_.find(session->id());
    if (found == places_.end()) return;
    const Place place = std::move(found->second);
    places_.erase(found);
    if (place.proxy) {
      const auto proxy = proxies_.find(*place.proxy);
      if (proxy != proxies_.end() && proxy->second == session) proxies_.erase(proxy);
    }
    const auto group = groups_.find(place.group);
    group->second.members.erase(session->id());
    if (group->second.members.empty()) {
      groups_.erase(group);
      gone = place.group;
    }
  }
  if (gone && on_group_gone_) on_group_gone_(*gone);
}

void Switchboard::publish(const GroupKey& key, SnapshotPtr snapshot) {
  std::vector<std::shared_ptr<Session>> members;
  Publication publication;
  {
    const std::lock_guard lock{mutex_};
    const auto found = groups_.find(key);
    if (found == groups_.end()) return;
    Group& group = found->second;
    const auto& present = group.publication.snapshot;
    if (present && snapshot->revision < present->revision) return;
    group.publication = {.snapshot = std::move(snapshot), .edition = group.publication.edition + 1};
    publication = group.publication;
    members.reserve(group.members.size());
    for (const auto& [id, session] : group.members) members.push_back(session);
  }
  walk(members, [&](Session& session) { session.publish(publication); });
}

std::vector<GroupKey> Switchboard::groups() const {
  const std::lock_guard lock{mutex_};
  std::vector<GroupKey> keys;
  for (const auto& [key, group] : groups_) keys.push_back(key);
  return keys;
}

void Switchboard::recheck(std::int64_t cluster_id) {
  key_checks_.count_change();
  KeyChecks::Holders members;
  {
    const std::lock_guard lock{mutex_};
    for (const auto& [key, group] : groups_) {
      if (cluster_id != 0 && key.cluster_id != cluster_id) continue;
      for (const auto& [id, session] : group.members) members.push_back(session);
    }
  }
  key_checks_.ask_soon(std::move(members));
}

std::vector<std::shared_ptr<Session>> Switchboard::of_proxy(std::string_view proxy_id) const {
  const std::lock_guard lock{mutex_};
  std::vector<std::shared_ptr<Session>> found;
  for (const Channel channel : {Channel::Aggregated, Channel::Secrets}) {
    const auto entry = proxies_.find({std::string(proxy_id), channel});
    if (entry != proxies_.end()) found.push_back(entry->second);
  }
  return found;
}

std::vector<std::shared_ptr<Session>> Switchboard::sessions() const {
  std::vector<std::shared_ptr<Session>> all;
  const std::lock_guard lock{mutex_};
  all.reserve(places_.size());
  for (const auto& [id, place] : places_) all.push_back(sessions_.at(id));
  return all;
}

// Also those that are being let in: the gate may have answered before the proxy was deleted.
void Switchboard::close_proxy(std::string_view proxy_id, const std::string& reason) {
  std::vector<std::shared_ptr<Session>> all;
  {
    const std::lock_guard lock{mutex_};
    for (const auto& [id, session] : sessions_) all.push_back(session);
  }
  std::erase_if(all, [&](const auto& session) { return session->proxy_id() != proxy_id; });
  for (const auto& session : all) session->close(facts(Code::Permission).grpc_status, reason);
}

bool Switchboard::retry(std::string_view proxy_id) {
  const auto sessions = of_proxy(proxy_id);
  for (const auto& session : sessions) session->retry();
  return !sessions.empty();
}

void Switchboard::wake_at(const std::shared_ptr<Session>& session, Time time) {
  const std::lock_guard lock{timer_mutex_};
  timers_.emplace(time, session);
}

std::vector<std::shared_ptr<Session>> Switchboard::due(Time now) {
  std::vector<std::shared_ptr<Session>> sessions;
  const auto end = timers_.upper_bound(now);
  for (auto timer = timers_.begin(); timer != end; ++timer) {
    if (auto session = timer->second.lock()) sessions.push_back(std::move(session));
  }
  timers_.erase(timers_.begin(), end);
  return sessions;
}

void Switchboard::tick() {
  std::vector<std::shared_ptr<Session>> sessions;
  {
    const std::lock_guard lock{timer_mutex_};
    sessions = due(clock_.now());
  }
  for (const auto& session : sessions) session->on_time();
  key_checks_.tick();
  status_.tick(clock_.now());
  on_tick_(clock_.now());
}

void Switchboard::stop() {
  Sessions sessions;
  {
    const std::lock_guard lock{mutex_};
    if (std::exchange(stopped_, true)) return;
    sessions = sessions_;
  }
  for (const auto& [id, session] : sessions) {
    session->close(facts(Code::Unavailable).grpc_status, "the server stops");
  }
  sessions.clear();
  jobs_->stop();
}

}  // namespace mp::xds
