#include "xds/hub.hpp"

#include "base/log.hpp"
#include "xds/load.hpp"

#include <algorithm>
#include <charconv>

namespace mp::xds {
namespace {

constexpr std::int64_t changes_at_once = 1000;
constexpr Milliseconds longest_pause{1000};
constexpr Milliseconds clock_tolerance{1000};
constexpr Milliseconds longest_wait{5000};

std::int64_t number(const std::string& text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

mp::Status ClusterView::of(std::string_view noun, std::int64_t id) const {
  mp::Status status;
  const std::pair<std::string, std::int64_t> key(noun, id);
  for (const auto& [object, refusal] : refusals) {
    if (object.type != noun || object.id != id) continue;
    status.state = mp::State::Rejected;
    status.reasons.push_back({refusal.proxy_id, refusal.message, refusal.since});
  }
  std::optional<Condition> worst;
  const auto object_of = [](const Finding& finding) {
    return std::pair<std::string_view, std::int64_t>(finding.object.type, finding.object.id);
  };
  for (const Finding& finding :
       std::ranges::equal_range(*findings, std::pair(noun, id), {}, object_of)) {
    status.reasons.push_back({std::nullopt, finding.message, std::nullopt});
    if (!worst || finding.condition == Condition::Unsupported) worst = finding.condition;
  }
  if (status.state == mp::State::Rejected) return status;
  const auto last = changed.find(key);
  if (worst == Condition::Unsupported)
    status.state = mp::State::Unsupported;
  else if (worst == Condition::Shadowed)
    status.state = mp::State::Shadowed;
  else if (connected && (noun != "certificate" || (certificates && certificates->contains(id))))
    status.state =
        last == changed.end() || last->second <= held ? mp::State::Live : mp::State::Pending;
  return status;
}

Hub::Hub(Store& store, Status& status, const Clock& clock)
    : store_(store), status_(status), clock_(clock) {}

Hub::~Hub() { stop(); }

void Hub::serve(Server& server) { server_ = &server; }

void Hub::start() {
  store_.read([&](Reader& db) { revision_ = db.revision(); });
  thread_ = std::thread([this] { run(); });
}

void Hub::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  known_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Hub::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  wake_.notify_one();
}

void Hub::add_group(const GroupKey& group) {
  {
    const std::lock_guard lock(mutex_);
    arrived_.push_back(group);
    woken_ = true;
  }
  wake_.notify_one();
}

void Hub::drop_group(const GroupKey& group) {
  {
    const std::lock_guard lock(mutex_);
    left_.push_back(group);
    woken_ = true;
  }
  wake_.notify_one();
}

std::int64_t Hub::revision() const {
  const std::lock_guard lock(mutex_);
  return revision_;
}

std::vector<std::int64_t> Hub::clusters() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::int64_t> all;
  for (const auto& [id, state] : clusters_) all.push_back(id);
  return all;
}

Findings Hub::findings(std::int64_t cluster_id) const {
  const std::lock_guard lock(mutex_);
  const auto found = clusters_.find(cluster_id);
  return found == clusters_.end() ? Findings() : *found->second.findings;
}

ClusterView Hub::view(std::int64_t cluster_id,
                      const std::vector<std::pair<std::string, std::int64_t>>& objects) const {
  ClusterView view;
  if (const auto settled = status_.settled_by_all(cluster_id)) {
    view.connected = true;
    view.held = *settled;
  }
  view.refusals = status_.cluster_refusals(cluster_id);
  const std::lock_guard lock(mutex_);
  const auto found = clusters_.find(cluster_id);
  if (found == clusters_.end()) return view;
  view.findings = found->second.findings;
  view.certificates = found->second.certificates;
  for (const auto& object : objects) {
    const auto last = found->second.changed.find(object);
    if (last != found->second.changed.end()) view.changed.insert(*last);
  }
  return view;
}

void Hub::run() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, pause(), [&] { return woken_ || stopping_; });
      if (stopping_) return;
      woken_ = false;
    }
    try {
      while (round()) {
      }
      failing_ = false;
    } catch (const std::exception& fault) {
      // The database is away: proxies keep what they have, a later round reads what was missed.
      if (!failing_) log::warning("configuration not read", {{"fault", fault.what()}});
      failing_ = true;
    }
  }
}

// Called with the lock held.
Milliseconds Hub::pause() const {
  Milliseconds shortest = longest_pause;
  for (const auto& [id, state] : clusters_) {
    if (state.rebuild_at)
      shortest = std::min(shortest, std::max(Milliseconds{0}, *state.rebuild_at - clock_.now()));
  }
  return shortest;
}

bool Hub::round() {
  bool more = false;
  store_.read([&](Reader& db) {
    more = take_changes(db);
    take_groups(db);
    take_followed(db);
  });
  mark_due(clock_.now());
  while (!dirty_.empty()) {
    publish(*dirty_.begin());
    dirty_.erase(dirty_.begin());
  }
  return more;
}

void Hub::mark_due(Time now) {
  // When the clock was set back, what had ended may count again.
  const bool set_back = now + clock_tolerance < last_look_;
  last_look_ = now;
  const std::lock_guard lock(mutex_);
  for (const auto& [id, state] : clusters_) {
    if (set_back || (state.rebuild_at && *state.rebuild_at <= now)) dirty_.insert(id);
  }
}

void Hub::take_groups(Reader& db) {
  std::vector<GroupKey> left;
  {
    const std::lock_guard lock(mutex_);
    pending_groups_.insert(pending_groups_.end(), arrived_.begin(), arrived_.end());
    arrived_.clear();
    left.swap(left_);
  }
  const auto present = server_ ? server_->groups() : std::vector<GroupKey>();
  const auto is_present = [&](const GroupKey& key) {
    return std::ranges::find(present, key) != present.end();
  };
  for (const GroupKey& key : left) {
    if (is_present(key)) continue;
    groups_.erase(key);
    outlooks_[key.cluster_id].summary.drop(key);
  }
  while (!pending_groups_.empty()) {
    if (is_present(pending_groups_.back())) take_group(db, pending_groups_.back());
    pending_groups_.pop_back();
  }
}

void Hub::take_group(Reader& db, const GroupKey& key) {
  if (!know(db, key.cluster_id)) return;
  groups_.try_emplace(key, Audience{key.type, key.listen_address, key.flavour});
  dirty_.insert(key.cluster_id);
}

// Loads the cluster unless it is known; false when it has gone.
bool Hub::know(Reader& db, std::int64_t cluster_id) {
  if (config(cluster_id)) return true;
  ClusterConfigPtr config = load_config(db, cluster_id);
  if (!config) return false;
  on_cluster_(*config->cluster);
  {
    const std::lock_guard lock(mutex_);
    clusters_[cluster_id].config = std::move(config);
  }
  known_.notify_all();
  return true;
}

void Hub::take_followed(Reader& db) {
  std::vector<std::int64_t> followed;
  {
    const std::lock_guard lock(mutex_);
    followed.swap(followed_);
  }
  for (const std::int64_t cluster_id : followed) know(db, cluster_id);
}

void Hub::follow(std::int64_t cluster_id) {
  std::unique_lock lock(mutex_);
  if (clusters_.contains(cluster_id)) return;
  followed_.push_back(cluster_id);
  woken_ = true;
  wake_.notify_one();
  known_.wait_for(lock, longest_wait, [&] { return stopping_ || clusters_.contains(cluster_id); });
}

ClusterConfigPtr Hub::config(std::int64_t cluster_id) const {
  const std::lock_guard lock(mutex_);
  const auto found = clusters_.find(cluster_id);
  return found == clusters_.end() ? nullptr : found->second.config;
}

bool Hub::take_changes(Reader& db) {
  const auto entries = db.change_heads_after(revision(), changes_at_once);
  std::map<std::int64_t, Objects> touched;
  for (const ChangeHead& entry : entries) {
    if (entry.resource == "proxy" && entry.action == Action::Delete && server_) {
      server_->close_proxy(entry.object_id, "the proxy was deleted");
    }
    if (!is_intent(entry.resource)) continue;
    for (const std::int64_t cluster_id : concerned(entry))
      touched[cluster_id][{entry.resource, number(entry.object_id)}] = entry.revision;
  }
  for (const auto& [cluster_id, objects] : touched) take_cluster(db, cluster_id, objects);
  if (!entries.empty()) {
    const std::lock_guard lock(mutex_);
    revision_ = entries.back().revision;
  }
  return static_cast<std::int64_t>(entries.size()) == changes_at_once;
}

// What belongs to no cluster is for all of them.
std::vector<std::int64_t> Hub::concerned(const ChangeHead& entry) const {
  if (entry.cluster_id) return {*entry.cluster_id};
  return clusters();
}

void Hub::take_cluster(Reader& db, std::int64_t cluster_id, const Objects& objects) {
  if (server_ && objects.contains({"cluster", cluster_id})) server_->recheck(cluster_id);
  ClusterConfigPtr current;
  {
    const std::lock_guard lock(mutex_);
    const auto found = clusters_.find(cluster_id);
    if (found == clusters_.end()) return;
    current = found->second.config;
  }
  auto changed = std::make_shared<ClusterConfig>(*current);
  Objects present, gone;
  for (const auto& [object, revision] : objects) {
    (reload(db, *changed, object.first, object.second) ? present : gone)[object] = revision;
  }
  if (objects.contains({"cluster", cluster_id})) on_cluster_(*changed->cluster);
  const std::lock_guard lock(mutex_);
  ClusterState& state = clusters_[cluster_id];
  state.config = std::move(changed);
  for (const auto& [object, revision] : present) state.changed[object] = revision;
  for (const auto& [object, revision] : gone) state.changed.erase(object);
  dirty_.insert(cluster_id);
}

void Hub::publish(std::int64_t cluster_id) {
  ClusterConfig config;
  {
    const std::lock_guard lock(mutex_);
    const auto found = clusters_.find(cluster_id);
    if (found == clusters_.end()) return;
    config = *found->second.config;
    config.revision = revision_;
  }
  const Time now = clock_.now();
  auto& [summary, calendar] = outlooks_[cluster_id];
  std::vector<std::pair<GroupKey, SnapshotPtr>> snapshots;
  for (auto& [key, group] : groups_) {
    if (key.cluster_id != cluster_id) continue;
    SnapshotPtr snapshot = group.builder.build(config, now);
    summary.take(key, *snapshot);
    const auto breaches = group.consistency.check(*snapshot);
    for (const std::string& breach : breaches)
      log::error("snapshot not published", {{"breach", breach}});
    if (breaches.empty()) snapshots.emplace_back(key, std::move(snapshot));
  }
  calendar.update(config);
  // First: who waits for the revision may ask for what was found as soon as one is published.
  keep_findings(cluster_id, summary, calendar.next(now));
  if (!server_) return;
  for (auto& [key, snapshot] : snapshots) server_->publish(key, std::move(snapshot));
}

void Hub::keep_findings(std::int64_t cluster_id, Summary& summary, std::optional<Time> rebuild_at) {
  const std::lock_guard lock(mutex_);
  ClusterState& state = clusters_[cluster_id];
  state.findings = summary.findings();
  state.certificates = summary.certificates();
  state.rebuild_at = rebuild_at;
}

}  // namespace mp::xds
