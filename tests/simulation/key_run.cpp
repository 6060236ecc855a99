#include "tests/simulation/client.hpp"
#include "tests/simulation/keys.hpp"
#include "tests/simulation/run.hpp"
#include "xds/switchboard.hpp"

#include <envoy/service/discovery/v3/discovery.pb.h>

#include <algorithm>
#include <memory>

namespace mp::xds {
namespace {

constexpr std::size_t at_once = 4;  // jobs
constexpr std::size_t deepest = 3;  // events within events
constexpr int aborted = 10;         // gRPC's number
constexpr int unavailable = 14;
constexpr Milliseconds longest_farewell{2'000};

// The jobs of the switchboard, one after the other; of the first ones any may be the next.
class OneByOne final : public Jobs {
 public:
  explicit OneByOne(std::function<void()> tick) : tick(std::move(tick)) {}
  bool post(std::function<void()> job) override {
    waiting_.push_back(std::move(job));
    return true;
  }
  void stop() override {
    while (!waiting_.empty()) run(0);
  }
  bool run_any(Random& random) {
    if (waiting_.empty()) return false;
    run(random.below(std::min(at_once, waiting_.size())));
    return true;
  }

  const std::function<void()> tick;

 private:
  void run(std::size_t at) {
    const auto job = std::move(waiting_[at]);
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(at));
    job();
  }
  std::deque<std::function<void()>> waiting_;
};

class KeyRun;

// A proxy on one stream, with the key that it has.
class Guest final : public Line {
 public:
  Guest(KeyRun& run, std::int64_t cluster, std::string node, std::string key)
      : cluster(cluster), node(std::move(node)), key(std::move(key)), run_(run) {}
  std::size_t write(std::vector<Message> messages) override { return waiting += messages.size(); }
  void read() override { is_in = true; }
  void finish(int status, const std::string& words) override;
  void abort() override { is_cut = true; }

  const std::int64_t cluster;
  const std::string node;
  const std::string key;
  std::shared_ptr<Session> session;
  std::size_t waiting = 0;  // messages that it has not read
  bool has_asked = false;
  bool is_in = false;        // it was let in
  bool may_end = false;      // there was a moment at which it was not to be let in
  bool has_rivals = false;   // others came under its name
  bool is_gone = false;      // the line has ended
  bool is_cut = false;       // by force
  std::optional<Time> over;  // the server ended it

 private:
  KeyRun& run_;
};

class KeyRun {
 public:
  KeyRun(std::uint64_t seed, Trace* trace) : random_(seed), trace_(trace) {}
  void play();

  void on_finish(Guest& guest, int status, const std::string& words);

 private:
  template <class... Parts>
  void note(const Parts&... parts) {
    if (!trace_) return;
    std::string text = std::to_string(now().time_since_epoch().count()) + " ";
    ((text += parts), ...);
    trace_->push_back(std::move(text));
  }
  Time now() const { return clock_.now(); }
  void complain(const std::string& text) {
    if (complaint_.empty()) complaint_ = text;
  }
  void event();
  void change();
  void changed(const std::string& what, std::function<void()> notice);
  void meanwhile();
  void arrive();
  void ask(Guest& guest);
  void talk();
  void publish();
  void wait(Milliseconds step);
  void wait_for_edge();
  void tell_all();
  bool run_all();
  void become_quiet();
  void check();
  void leave(Guest& guest);
  void end();

  Random random_;
  Trace* trace_;
  std::string complaint_;
  ManualClock clock_{Time{Milliseconds{1'000'000}}};
  Keys keys_{clock_};
  KeyGate gate_{keys_, [this] { meanwhile(); }};
  Status status_;
  std::deque<Guest> guests_;
  std::deque<std::function<void()>> notices_;  // of changes, that the hub has not read
  std::int64_t revision_ = 0;
  std::size_t depth_ = 0;
  bool stops_ = false;
  OneByOne* jobs_ = nullptr;
  Switchboard board_{{},
                     {},
                     [](Time) {},
                     gate_,
                     status_,
                     clock_,
                     [this](auto tick) {
                       auto made = std::make_unique<OneByOne>(std::move(tick));
                       jobs_ = made.get();
                       return made;
                     }};
};

void Guest::finish(int status, const std::string& words) { run_.on_finish(*this, status, words); }

void KeyRun::play() {
  keys_.add(1);
  keys_.add(2);
  for (std::size_t n = 20 + random_.below(50); n > 0; --n) {
    event();
    if (!complaint_.empty()) throw Complaint(complaint_);
  }
  end();
  if (!complaint_.empty()) throw Complaint(complaint_);
}

void KeyRun::event() {
  const auto kind = random_.below(100);
  if (kind < 14) return arrive();
  if (kind < 38) return talk();
  if (kind < 50) return change();
  if (kind < 64) return void(jobs_->run_any(random_));
  if (kind < 76) return tell_all();
  if (kind < 80) return publish();
  if (kind < 88) return wait(Milliseconds{static_cast<std::int64_t>(random_.below(2'000))});
  if (kind < 91) return wait(Milliseconds{static_cast<std::int64_t>(random_.below(4'000'000))});
  if (kind < 94) return wait_for_edge();
  if (kind < 96) {
    gate_.away = !gate_.away;
    return note(gate_.away ? "the database is away" : "the database is back");
  }
  become_quiet();
  check();
}

void KeyRun::change() {
  const std::int64_t cluster = 1 + static_cast<std::int64_t>(random_.below(2));
  const auto recheck = [this, cluster] { board_.recheck(cluster); };
  const std::string name = "cluster " + std::to_string(cluster);
  const auto kind = random_.below(100);
  if (kind < 45) {
    keys_.rotate(cluster);
    changed(name + " has another key", recheck);
  } else if (kind < 60) {
    changed(name + " is changed in another way", recheck);
  } else if (kind < 75 || guests_.empty()) {
    keys_.toggle(cluster);
    changed(name + " is deactivated, or activated", recheck);
  } else {
    const std::string node = random_.pick(guests_).node;
    keys_.remove(node);
    changed(node + " is deleted", [this, node] { board_.close_proxy(node, "deleted"); });
  }
}

// Who may not be there at any moment may be ended at any moment after that.
void KeyRun::changed(const std::string& what, std::function<void()> notice) {
  note(what);
  notices_.push_back(std::move(notice));
  for (Guest& guest : guests_)
    guest.may_end = guest.may_end || !keys_.lets_in(guest.key, guest.node);
}

// What other threads do while one waits for the database.
void KeyRun::meanwhile() {
  if (depth_ == deepest || !random_.chance(30)) return;
  ++depth_;
  note("{");
  if (random_.chance(70)) change();
  if (random_.chance(50)) tell_all();
  for (std::size_t n = random_.below(6); n > 0; --n) jobs_->run_any(random_);
  note("}");
  --depth_;
}

void KeyRun::arrive() {
  const std::int64_t cluster = 1 + static_cast<std::int64_t>(random_.below(2));
  const bool again = !guests_.empty() && random_.chance(30);
  std::string node = "proxy-" + std::to_string(guests_.size());
  if (again) node = random_.pick(guests_).node;
  const std::string key = random_.chance(70) ? keys_.current(cluster) : keys_.former(cluster);
  Guest& guest = guests_.emplace_back(*this, cluster, std::move(node), key);
  guest.session = board_.add({.cluster_key = Secret{key}, .peer = "127.0.0.1"}, guest);
  note(guest.node, " comes with ", key);
  if (random_.chance(80)) ask(guest);
}

void KeyRun::ask(Guest& guest) {
  for (Guest& other : guests_) {
    if (&other != &guest && other.node == guest.node && other.has_asked)
      other.has_rivals = guest.has_rivals = true;
  }
  note(guest.node, " asks");
  guest.has_asked = true;
  guest.may_end = !keys_.lets_in(guest.key, guest.node);
  envoy::service::discovery::v3::DeltaDiscoveryRequest request;
  request.mutable_node()->set_id(guest.node);
  request.set_type_url(std::string(type_url(Type::Cluster)));
  if (random_.chance(50)) (*request.mutable_initial_resource_versions())["a"] = "1";
  guest.session->on_message(request.SerializeAsString());
}

void KeyRun::talk() {
  if (guests_.empty()) return;
  Guest& guest = random_.pick(guests_);
  if (guest.is_gone) return;
  if (guest.over || random_.chance(10)) return leave(guest);
  if (!guest.has_asked) return ask(guest);
  if (guest.waiting == 0 || random_.chance(30)) return;  // it does not read
  guest.waiting = 0;
  guest.session->on_drained();
}

void KeyRun::publish() {
  auto made = std::make_shared<Snapshot>();
  made->revision = ++revision_;
  auto resource = std::make_shared<Resource>();
  resource->name = "a";
  resource->version = std::to_string(revision_);
  made->types[0].put(resource);
  for (const GroupKey& group : board_.groups()) board_.publish(group, made);
}

void KeyRun::wait(Milliseconds step) {
  clock_.advance(step);
  jobs_->tick();
}

// A key that ends does so at its time, not a moment before.
void KeyRun::wait_for_edge() {
  const auto end = keys_.overlap_end(1 + static_cast<std::int64_t>(random_.below(2)));
  if (!end) return;
  become_quiet();
  if (*end <= now()) return;
  note("up to the end of a key");
  wait(*end - now() - Milliseconds{1});
  check();
  wait(Milliseconds{1});
  check();
}

// The hub has read what was changed.
void KeyRun::tell_all() {
  for (const auto& notice : std::exchange(notices_, {})) notice();
}

bool KeyRun::run_all() {
  bool any = false;
  while (jobs_->run_any(random_)) any = true;
  return any;
}

// Until everybody has been asked about, with a database that answers.
void KeyRun::become_quiet() {
  gate_.away = false;
  depth_ = deepest;  // nothing happens meanwhile
  tell_all();
  do wait(key_check_pause);
  while (run_all());
  depth_ = 0;
}

void KeyRun::on_finish(Guest& guest, int status, const std::string& words) {
  note(guest.node, " with ", guest.key, " is ended: ", std::to_string(status), " ", words);
  if (guest.over) complain(guest.node + " is ended twice");
  guest.over = now();
  const bool for_a_rival = status == aborted && guest.has_rivals;
  const bool turned_away = status == unavailable && gate_.turned_away.contains(guest.node);
  if (guest.may_end || !keys_.lets_in(guest.key, guest.node)) return;
  if (!stops_ && !for_a_rival && !turned_away)
    complain(guest.node + " is ended early: " + std::to_string(status) + " " + words);
}

void KeyRun::check() {
  for (Guest& guest : guests_) {
    if (!guest.has_asked || guest.is_gone) continue;
    const bool welcome = keys_.lets_in(guest.key, guest.node);
    if (!welcome && !guest.over) complain(guest.node + " with " + guest.key + " stays");
    if (welcome && !guest.over && !guest.is_in) complain(guest.node + " is not let in");
    if (guest.over && !guest.is_cut && now() >= *guest.over + longest_farewell)
      complain(guest.node + " is not cut off");
    guest.may_end = guest.may_end || !welcome;
  }
}

void KeyRun::leave(Guest& guest) {
  note(guest.node, " leaves");
  guest.is_gone = true;
  guest.session->on_gone();
}

void KeyRun::end() {
  become_quiet();
  check();
  wait(key_overlap);  // every former key is over
  check();
  for (Guest& guest : guests_) {
    if (!guest.is_gone && random_.chance(50)) leave(guest);
  }
  stops_ = true;
  board_.stop();
  for (Guest& guest : guests_) {
    if (!guest.is_gone && !guest.over) complain(guest.node + " is not ended with the server");
    if (!guest.is_gone) leave(guest);
  }
  if (!board_.sessions().empty() || !board_.groups().empty() || status_.counters().streams != 0)
    complain("something stays when everybody has left");
}

}  // namespace

void simulate_keys(std::uint64_t seed, Trace* trace) { KeyRun(seed, trace).play(); }

}  // namespace mp::xds
