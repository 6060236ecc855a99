#include "xds/status.hpp"

#include "xds/revision_counts.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <unordered_map>
#include <utility>

namespace mp::xds {
namespace {

constexpr std::size_t most_waits = 100'000;
constexpr std::ptrdiff_t kept_settlements = 64;  // at least

// Everything up to `revision` was acknowledged or refused at `time`.
struct Settlement {
  std::int64_t revision = 0;
  Time time;
};

struct Wait {
  std::int64_t cluster_id = 0;
  std::int64_t revision = 0;
  std::function<void(State)> done;
};
using WaitId = std::uint64_t;

// Of the connected proxies only; one entry a proxy (of `refused`: a refusal).
struct Cluster {
  RevisionCounts settled;
  RevisionCounts changed;
  RevisionCounts refused;
  std::set<std::pair<std::int64_t, WaitId>> waits;  // by revision
};

struct Proxy {
  std::string id;
  std::int64_t cluster_id = 0;
  Cluster* cluster = nullptr;  // of that id, since it connected for the first time
  std::string hostname;
  StreamId stream = 0;  // 0: not connected
  Progress progress;
  State state = State::Offline;
  Time since;
  std::vector<Settlement> settlements;  // the newest last
  std::vector<Refusal> refusals;
  std::function<std::vector<HeldType>()> held;
};

using Done = std::vector<std::pair<std::function<void(State)>, State>>;

void call(Done& done) {
  for (auto& [function, state] : done) function(state);
}

State state_of(const Proxy& proxy) {
  if (proxy.stream == 0) return State::Offline;
  if (!proxy.refusals.empty()) return State::Rejected;
  return proxy.progress.settled ? State::Live : State::Pending;
}

ProxyState describe(const Proxy& proxy) {
  return {.proxy_id = proxy.id,
          .cluster_id = proxy.cluster_id,
          .hostname = proxy.hostname,
          .connected = proxy.stream != 0,
          .revision = proxy.progress.revision,
          .state = proxy.state,
          .since = proxy.since,
          .types = {},
          .rejected = proxy.refusals};
}

// Where one revision stands at the proxy.
void describe_at(const Proxy& proxy, std::int64_t revision, ProxyState& state) {
  if (proxy.stream == 0) return;
  const auto found = std::ranges::find_if(
      proxy.settlements, [&](const Settlement& each) { return each.revision >= revision; });
  if (found == proxy.settlements.end()) {
    if (state.state != State::Pending) state.since = proxy.since;
    state.state = State::Pending;
    return;
  }
  const std::int64_t before =
      found == proxy.settlements.begin() ? revision - 1 : std::prev(found)->revision;
  const auto refusal = std::ranges::find_if(proxy.refusals, [&](const Refusal& each) {
    return each.revision > before && each.revision <= found->revision;
  });
  state.state = refusal != proxy.refusals.end() ? State::Rejected : State::Live;
  state.since = refusal != proxy.refusals.end() ? refusal->since : found->time;
}

}  // namespace

struct Status::Book {
  mutable std::mutex mutex;
  std::unordered_map<std::string, Proxy> proxies;
  std::unordered_map<StreamId, Proxy*>
      streams;  // the elements of an unordered_map stay where they are
  std::map<std::int64_t, std::set<std::string>> members;  // cluster → its proxies, connected or not
  std::map<std::int64_t, Cluster> clusters;  // none is ever taken out: proxies point to theirs
  std::map<std::pair<std::string, std::int64_t>, std::map<std::string, ObjectRefusal>> refusals;
  std::unordered_map<WaitId, Wait> waits;
  std::set<std::pair<Time, WaitId>> deadlines;
  std::unordered_map<WaitId, Time> deadline_of;
  WaitId last_wait = 0;
  bool closed = false;
  Time last_tick;

  State verdict(const Cluster& cluster, std::int64_t revision) const;
  void end_wait(WaitId id, State state, Done& done);
  void settle_waits(Cluster& cluster, Done& done);
  void refresh(Proxy& proxy, Time now);
  void leave(Proxy& proxy);
  void replace_refusals(Proxy& proxy, std::vector<Refusal> refusals);
  std::vector<const Proxy*> of_cluster(std::int64_t cluster_id) const;
};

// Only when every connected proxy has settled at or after the revision.
State Status::Book::verdict(const Cluster& cluster, std::int64_t revision) const {
  if (cluster.changed.empty() || cluster.changed.highest() < revision) return State::Idle;
  if (!cluster.refused.empty() && cluster.refused.highest() >= revision) return State::Rejected;
  return State::Live;
}

void Status::Book::end_wait(WaitId id, State state, Done& done) {
  const auto found = waits.find(id);
  done.emplace_back(std::move(found->second.done), state);
  clusters[found->second.cluster_id].waits.erase({found->second.revision, id});
  const auto deadline = deadline_of.find(id);
  deadlines.erase({deadline->second, id});
  deadline_of.erase(deadline);
  waits.erase(found);
}

void Status::Book::settle_waits(Cluster& cluster, Done& done) {
  while (!cluster.waits.empty()) {
    const auto [revision, id] = *cluster.waits.begin();
    if (!cluster.settled.empty() && cluster.settled.lowest() < revision) return;
    end_wait(id, verdict(cluster, revision), done);
  }
}

void Status::Book::refresh(Proxy& proxy, Time now) {
  const State state = state_of(proxy);
  if (state != proxy.state) proxy.since = now;
  proxy.state = state;
}

void Status::Book::leave(Proxy& proxy) {
  if (proxy.stream == 0) return;
  Cluster& cluster = *proxy.cluster;
  cluster.settled.remove(proxy.progress.revision);
  cluster.changed.remove(proxy.progress.changed);
  replace_refusals(proxy, {});
  streams.erase(proxy.stream);
  proxy.stream = 0;
  proxy.held = nullptr;
}

void Status::Book::replace_refusals(Proxy& proxy, std::vector<Refusal> next) {
  Cluster& cluster = *proxy.cluster;
  for (const auto& refusal : proxy.refusals) {
    cluster.refused.remove(refusal.revision);
    const auto found = refusals.find({refusal.object.type, refusal.object.id});
    if (found == refusals.end()) continue;
    found->second.erase(proxy.id);
    if (found->second.empty()) refusals.erase(found);
  }
  proxy.refusals = std::move(next);
  for (const auto& refusal : proxy.refusals) {
    cluster.refused.add(refusal.revision);
    auto& entry = refusals[{refusal.object.type, refusal.object.id}];
    entry.try_emplace(proxy.id, ObjectRefusal{proxy.id, refusal.message, refusal.since});
  }
}

std::vector<const Proxy*> Status::Book::of_cluster(std::int64_t cluster_id) const {
  std::vector<const Proxy*> result;
  if (const auto found = members.find(cluster_id); found != members.end()) {
    for (const auto& id : found->second) result.push_back(&proxies.at(id));
  }
  return result;
}

std::string_view to_string(State state) {
  switch (state) {
    case State::Live: return "live";
    case State::Pending: return "pending";
    case State::Rejected: return "rejected";
    case State::Offline: return "offline";
    case State::Idle: return "idle";
  }
  return "offline";
}

Status::Status() : book_(std::make_unique<Book>()) {}
Status::~Status() = default;

Counters& Status::counters() { return counters_; }
const Counters& Status::counters() const { return counters_; }

std::optional<ProxyState> Status::get(std::string_view proxy_id) const {
  std::optional<ProxyState> state;
  std::function<std::vector<HeldType>()> held;
  {
    const std::lock_guard lock{book_->mutex};
    const auto found = book_->proxies.find(std::string(proxy_id));
    if (found == book_->proxies.end()) return std::nullopt;
    state = describe(found->second);
    held = found->second.held;
  }
  if (held) state->types = held();
  return state;
}

std::vector<ProxyState> Status::of_cluster(std::int64_t cluster_id) const {
  const std::lock_guard lock{book_->mutex};
  std::vector<ProxyState> states;
  for (const Proxy* proxy : book_->of_cluster(cluster_id)) states.push_back(describe(*proxy));
  return states;
}

std::vector<ProxyState> Status::at_revision(std::int64_t cluster_id, std::int64_t revision) const {
  const std::lock_guard lock{book_->mutex};
  std::vector<ProxyState> states;
  for (const Proxy* proxy : book_->of_cluster(cluster_id)) {
    states.push_back(describe(*proxy));
    describe_at(*proxy, revision, states.back());
  }
  return states;
}

std::optional<std::int64_t> Status::settled_by_all(std::int64_t cluster_id) const {
  const std::lock_guard lock{book_->mutex};
  const auto found = book_->clusters.find(cluster_id);
  if (found == book_->clusters.end() || found->second.settled.empty()) return std::nullopt;
  return found->second.settled.lowest();
}

std::vector<ObjectRefusal> Status::object_refusals(std::string_view type, std::int64_t id) const {
  const std::lock_guard lock{book_->mutex};
  std::vector<ObjectRefusal> result;
  const auto found = book_->refusals.find({std::string(type), id});
  if (found == book_->refusals.end()) return result;
  for (const auto& [proxy_id, refusal] : found->second) result.push_back(refusal);
  return result;
}

std::vector<std::pair<Object, ObjectRefusal>> Status::cluster_refusals(
    std::int64_t cluster_id) const {
  const std::lock_guard lock{book_->mutex};
  std::vector<std::pair<Object, ObjectRefusal>> result;
  const auto cluster = book_->clusters.find(cluster_id);
  if (cluster == book_->clusters.end() || cluster->second.refused.empty()) return result;
  for (const Proxy* proxy : book_->of_cluster(cluster_id)) {
    for (const auto& refusal : proxy->refusals) {
      result.emplace_back(refusal.object, ObjectRefusal{proxy->id, refusal.message, refusal.since});
    }
  }
  std::ranges::stable_sort(result, {},
                           [](const auto& each) -> const Object& { return each.first; });
  return result;
}

void Status::when_settled(std::int64_t cluster_id, std::int64_t revision, Time deadline,
                          std::function<void(State)> done) {
  Done now;
  {
    const std::lock_guard lock{book_->mutex};
    if (book_->closed || book_->waits.size() >= most_waits) {
      now.emplace_back(std::move(done), State::Pending);
    } else {
      const WaitId id = ++book_->last_wait;
      book_->waits.emplace(id, Wait{cluster_id, revision, std::move(done)});
      book_->deadlines.emplace(deadline, id);
      book_->deadline_of.emplace(id, deadline);
      Cluster& cluster = book_->clusters[cluster_id];
      cluster.waits.emplace(revision, id);
      book_->settle_waits(cluster, now);
    }
  }
  call(now);
}

void Status::tick(Time now) {
  Done done;
  {
    const std::lock_guard lock{book_->mutex};
    // On a clock that was set back they would wait for that time more.
    const bool set_back = now + Milliseconds{1000} < std::exchange(book_->last_tick, now);
    const Time due = set_back ? Time::max() : now;
    while (!book_->deadlines.empty() && book_->deadlines.begin()->first <= due) {
      book_->end_wait(book_->deadlines.begin()->second, State::Pending, done);
    }
  }
  call(done);
}

void Status::close() {
  Done done;
  {
    const std::lock_guard lock{book_->mutex};
    book_->closed = true;
    while (!book_->deadlines.empty()) {
      book_->end_wait(book_->deadlines.begin()->second, State::Pending, done);
    }
  }
  call(done);
}

void Status::forget(std::string_view proxy_id) {
  const std::lock_guard lock{book_->mutex};
  const auto found = book_->proxies.find(std::string(proxy_id));
  if (found == book_->proxies.end() || found->second.stream != 0) return;
  book_->members[found->second.cluster_id].erase(found->first);
  book_->proxies.erase(found);
}

void Status::connected(const Newcomer& newcomer, Time now) {
  Done done;
  {
    const std::lock_guard lock{book_->mutex};
    Proxy& proxy = book_->proxies[newcomer.proxy_id];
    const std::int64_t previous = proxy.cluster_id;
    book_->leave(proxy);
    if (!proxy.id.empty()) book_->members[previous].erase(proxy.id);
    proxy.id = newcomer.proxy_id;
    proxy.cluster_id = newcomer.cluster_id;
    proxy.hostname = newcomer.hostname;
    proxy.stream = newcomer.stream;
    proxy.held = newcomer.held;
    proxy.progress = {};
    proxy.settlements.clear();
    book_->members[proxy.cluster_id].insert(proxy.id);
    book_->streams[newcomer.stream] = &proxy;
    Cluster& cluster = book_->clusters[proxy.cluster_id];
    proxy.cluster = &cluster;
    cluster.settled.add(0);
    cluster.changed.add(0);
    book_->refresh(proxy, now);
    if (previous != 0 && previous != proxy.cluster_id)
      book_->settle_waits(book_->clusters[previous], done);
  }
  call(done);
}

void Status::report(StreamId stream, const Progress& progress, Time now) {
  Done done;
  {
    const std::lock_guard lock{book_->mutex};
    const auto found = book_->streams.find(stream);
    if (found == book_->streams.end()) return;
    Proxy& proxy = *found->second;
    Cluster& cluster = *proxy.cluster;
    cluster.settled.move(proxy.progress.revision, progress.revision);
    cluster.changed.move(proxy.progress.changed, progress.changed);
    const bool further = progress.revision > proxy.progress.revision;
    proxy.progress = progress;
    if (further) {
      proxy.settlements.push_back({progress.revision, now});
      if (std::ssize(proxy.settlements) == 2 * kept_settlements)  // seldom, as it moves the rest
        proxy.settlements.erase(proxy.settlements.begin(),
                                proxy.settlements.begin() + kept_settlements);
    }
    book_->refresh(proxy, now);
    if (further) book_->settle_waits(cluster, done);
  }
  call(done);
}

void Status::report_refusals(StreamId stream, std::vector<Refusal> refusals, Time now) {
  const std::lock_guard lock{book_->mutex};
  const auto found = book_->streams.find(stream);
  if (found == book_->streams.end()) return;
  book_->replace_refusals(*found->second, std::move(refusals));
  book_->refresh(*found->second, now);
}

void Status::disconnected(StreamId stream, Time now) {
  Done done;
  {
    const std::lock_guard lock{book_->mutex};
    const auto found = book_->streams.find(stream);
    if (found == book_->streams.end()) return;
    Proxy& proxy = *found->second;
    book_->leave(proxy);
    book_->refresh(proxy, now);
    book_->settle_waits(*proxy.cluster, done);
  }
  call(done);
}

}  // namespace mp::xds
