#include "tests/simulation/run.hpp"

#include "tests/simulation/client.hpp"
#include "tests/simulation/content.hpp"
#include "tests/simulation/referee.hpp"
#include "xds/dialect.hpp"
#include "xds/stream.hpp"

#include <algorithm>
#include <memory>
#include <optional>

namespace mp::xds {
namespace {

constexpr std::size_t most_at_once = 64;  // responses to one event
constexpr int most_rounds = 200;          // until it must be quiet

bool is_named(Type type) {
  return type == Type::Endpoint || type == Type::Secret || type == Type::Route;
}

// A client, the stream that serves it now, and what is on its way between them.
struct Connection {
  std::string name;
  std::unique_ptr<Client> client;
  std::optional<Stream> stream;
  std::optional<Referee> referee;
  std::deque<Response> incoming;
  OrderlyClient* orderly = nullptr;  // when it is one
  std::optional<Time> scheduled;     // when the stream wants to be woken
  std::optional<Time> returned;      // when it first said what it holds from the stream before
  std::optional<Time> deaf_until;    // it reads nothing until then
  std::size_t window = 0;            // with more on its way it gets no news
  bool behind = false;
};

class Run {
 public:
  Run(std::uint64_t seed, Breadth breadth, Trace* trace)
      : random_(seed), breadth_(breadth), content_(random_, breadth), trace_(trace) {}

  void play();

 private:
  void note(const std::string& text) {
    if (trace_) trace_->push_back(std::to_string(now_.time_since_epoch().count()) + " " + text);
  }
  void add_client();
  std::unique_ptr<Client> any_client();
  void connect(Connection& connection);
  void event();
  void say(Connection& connection);
  void stop_reading(Connection& connection);
  void hear(Connection& connection);
  void edit();
  bool is_slow(const Connection& connection) const;
  void catch_up(Connection& connection);
  void push(Connection& connection);
  void wake(Connection& connection);
  void wait(Milliseconds step);
  void sent(Connection& connection, std::vector<Response> responses);
  void check_progress(Connection& connection);
  void settle();
  bool round();
  void become_quiet();
  void check_settled(Connection& connection);
  void check_answered(const Connection& connection) const;
  void check_orderly(Connection& connection);
  bool keeps_older(const Connection& connection) const;
  bool lets_go_unseen(const Connection& connection, Type type, const std::string& name) const;
  void check_reconnect(Connection& connection);

  Random random_;
  Breadth breadth_;
  Content content_;
  Trace* trace_;
  Time now_{};
  SnapshotPtr target_;
  std::array<std::shared_ptr<Differences>, 2> differences_{std::make_shared<Differences>(),
                                                           std::make_shared<Differences>()};
  std::vector<Connection> connections_;
};

void Run::play() {
  for (std::size_t n = 1 + random_.below(3); n > 0; --n) add_client();
  if (random_.chance(80)) edit();
  for (std::size_t n = 40 + random_.below(80); n > 0; --n) event();
  settle();
}

void Run::add_client() {
  Connection connection{.name = "client " + std::to_string(connections_.size())};
  connection.client = any_client();
  connection.orderly = dynamic_cast<OrderlyClient*>(connection.client.get());
  connections_.push_back(std::move(connection));
  connect(connections_.back());
}

std::unique_ptr<Client> Run::any_client() {
  const Flavour flavour = random_.chance(60) ? Flavour::Delta : Flavour::StateOfTheWorld;
  if (breadth_ == Breadth::Wide && random_.chance(25))
    return std::make_unique<GrpcClient>(flavour, random_);
  if (random_.chance(65)) return std::make_unique<EnvoyClient>(flavour, random_, breadth_);
  return std::make_unique<UnrulyClient>(flavour, random_, breadth_);
}

void Run::connect(Connection& connection) {
  const Flavour flavour = connection.client->flavour();
  note(connection.name + " connects" + (flavour == Flavour::Delta ? ", delta" : ""));
  connection.incoming.clear();
  connection.scheduled = connection.returned = connection.deaf_until = std::nullopt;
  connection.behind = false;
  connection.window = 1 + random_.below(12);
  connection.referee.emplace(flavour);
  connection.stream.emplace(flavour, differences_[static_cast<std::size_t>(flavour)]);
  connection.client->connect();
  if (target_) push(connection);
}

void Run::event() {
  Connection& connection = random_.pick(connections_);
  if (breadth_ == Breadth::Wide && random_.chance(1)) return stop_reading(connection);
  const auto kind = random_.below(100);
  if (kind < 36) return say(connection);
  if (kind < 72) return hear(connection);
  if (kind < 80) return connection.client->act();
  if (kind < 87) return edit();
  if (kind < 95) return wait(Milliseconds{static_cast<std::int64_t>(random_.below(400))});
  if (kind < 96) return wait(Milliseconds{static_cast<std::int64_t>(random_.below(100'000))});
  if (kind < 98) return connect(connection);
  note(connection.name + " is tried again");
  connection.referee->on_retry();
  sent(connection, connection.stream->on_retry(now_));
}

void Run::say(Connection& connection) {
  if (connection.client->outgoing.empty()) return;
  const Request request = std::move(connection.client->outgoing.front());
  connection.client->outgoing.pop_front();
  note(connection.name + " says " + show(request));
  if (!request.initial_versions.empty() && !connection.returned) connection.returned = now_;
  connection.referee->on_request(request, now_);
  sent(connection, connection.stream->on_request(request, now_));
}

void Run::stop_reading(Connection& connection) {
  note(connection.name + " stops reading");
  connection.deaf_until = now_ + Milliseconds{static_cast<std::int64_t>(random_.below(60'000))};
}

void Run::hear(Connection& connection) {
  if (connection.incoming.empty() || (connection.deaf_until && now_ < *connection.deaf_until))
    return;
  const Response response = std::move(connection.incoming.front());
  connection.incoming.pop_front();
  note(connection.name + " hears " + show(response));
  connection.client->receive(response, now_);
  if (connection.behind && !is_slow(connection)) catch_up(connection);
}

// As the session does for readers that are slow: what came meanwhile becomes one.
bool Run::is_slow(const Connection& connection) const {
  return connection.incoming.size() > connection.window;
}

void Run::catch_up(Connection& connection) {
  connection.behind = false;
  note(connection.name + " catches up");
  if (connection.stream->target() != target_) push(connection);
  sent(connection, connection.stream->on_time(now_));
}

void Run::push(Connection& connection) {
  connection.referee->on_target(target_);
  sent(connection, connection.stream->on_snapshot(target_, now_));
}

void Run::edit() {
  target_ = content_.next();
  if (trace_) {
    std::string text = "snapshot " + std::to_string(target_->revision) + ":";
    for (const Type type : all_types) {
      for (const auto& each : target_->of(type))
        text += " " + show(type, each->name) + "=" + each->version.substr(0, 3);
    }
    note(text);
  }
  for (auto& connection : connections_) {
    connection.behind = is_slow(connection);
    if (!connection.behind) push(connection);
  }
}

void Run::wait(Milliseconds step) {
  now_ += step;
  for (auto& connection : connections_) {
    const bool late = connection.returned && now_ >= *connection.returned + longest_return;
    if (late && connection.orderly && connection.orderly->is_returning())
      connection.orderly->come_too_late();
    wake(connection);
  }
}

void Run::wake(Connection& connection) {
  const bool due = connection.scheduled && *connection.scheduled <= now_;
  if (!due && random_.chance(90)) return;
  connection.scheduled = std::nullopt;
  if (is_slow(connection)) {
    connection.behind = true;
    return;
  }
  sent(connection, connection.stream->on_time(now_));
  if (connection.scheduled && *connection.scheduled <= now_)
    throw Complaint(connection.name + ": woken for nothing");
}

void Run::sent(Connection& connection, std::vector<Response> responses) {
  for (const auto& response : responses)
    note("  " + connection.name + " is sent " + show(response));
  if (responses.size() > most_at_once) throw Complaint("too many responses to one event");
  connection.referee->on_responses(responses, now_);
  for (auto& response : responses) connection.incoming.push_back(std::move(response));
  const auto next = connection.stream->next_wake(now_);
  if (next && (!connection.scheduled || *next < *connection.scheduled)) connection.scheduled = next;
  check_progress(connection);
}

// Who counts as settled holds the target, but for what it refuses.
void Run::check_progress(Connection& connection) {
  const Progress& progress = connection.stream->progress();
  if (!connection.orderly || connection.behind || !target_ || !progress.settled) return;
  if (progress.revision < target_->revision) return;
  const OrderlyClient& client = *connection.orderly;
  for (const Type type : all_types) {
    for (const auto& want : connection.referee->wanted(type)) {
      if (!client.wants(type, want->name) || client.held(type, want->name) == want->version)
        continue;
      if (!connection.stream->quarantine().contains(type, want->name) &&
          !client.forgot(type, want->name) && !client.misleads(type))
        throw Complaint(connection.name + " counts as settled without " + show(type, want->name));
    }
  }
}

bool Run::round() {
  bool quiet = true;
  for (auto& connection : connections_) {
    connection.client->settle();
    quiet = quiet && connection.client->outgoing.empty() && connection.incoming.empty();
    while (!connection.client->outgoing.empty()) say(connection);
    while (!connection.incoming.empty()) hear(connection);
  }
  return quiet;
}

// Until nothing happens any more, but for what may be tried again one day.
void Run::become_quiet() {
  int quiet_rounds = 0;
  for (int n = 0; quiet_rounds < 4; ++n) {
    if (n > most_rounds) throw Complaint("it does not become quiet");
    quiet_rounds = round() ? quiet_rounds + 1 : 0;
    wait(quiet_rounds > 0 ? longest_hold : Milliseconds{10});
  }
}

void Run::settle() {
  note("the edits end");
  for (auto& connection : connections_) connection.deaf_until = std::nullopt;
  if (!target_) edit();
  become_quiet();
  wait(longest_retry);  // what was refused for a while, or by a whim, is tried again
  become_quiet();
  for (auto& connection : connections_) check_settled(connection);
  for (auto& connection : connections_) {
    if (connection.orderly) check_reconnect(connection);
  }
}

void Run::check_settled(Connection& connection) {
  const Stream& stream = *connection.stream;
  const bool asks = std::ranges::any_of(
      all_types, [&](Type type) { return connection.referee->requested(type); });
  const bool serves = connection.orderly || !connection.referee->subscribed(Type::Cluster, "*");
  if (asks && serves &&
      (!stream.progress().settled || stream.progress().revision < target_->revision))
    throw Complaint(connection.name + " does not settle");
  check_answered(connection);
  if (connection.orderly) return check_orderly(connection);
  for (const auto& held : stream.held()) {
    const Type type = find_type(held.type_url).value();
    if (held.version != version_of(connection.referee->wanted(type)))
      throw Complaint(connection.name + " does not get its " + show(type, ""));
  }
}

// In delta who names something is told what it is, or that there is none.
void Run::check_answered(const Connection& connection) const {
  if (connection.client->flavour() != Flavour::Delta) return;
  for (const Type type : all_types) {
    for (const auto& name : connection.referee->unanswered(type)) {
      if (!connection.stream->quarantine().contains(type, name))
        throw Complaint(connection.name + " asked for " + show(type, name) + " in vain");
    }
  }
}

// An older form of something is in use because the newest is refused: what it refers to stays, and
// the core does not know what that is.
bool Run::keeps_older(const Connection& connection) const {
  return std::ranges::any_of(all_types, [&](Type type) {
    return std::ranges::any_of(connection.referee->wanted(type), [&](const auto& want) {
      const std::string held = connection.orderly->held(type, want->name);
      return connection.stream->quarantine().holds(type, *want) && !held.empty() &&
             held != want->version;
    });
  });
}

// Names of the state of the world that go and come back while a response is on its way never went,
// for the server: the requests in between are stale.
bool Run::lets_go_unseen(const Connection& connection, Type type, const std::string& name) const {
  return connection.client->flavour() == Flavour::StateOfTheWorld &&
         connection.orderly->forgot(type, name);
}

// Everything that it wants and takes, nothing else; and the server knows it.
void Run::check_orderly(Connection& connection) {
  const OrderlyClient& client = *connection.orderly;
  for (const Type type : all_types) {
    if (client.misleads(type)) continue;
    for (const auto& want : connection.referee->wanted(type)) {
      if (!client.wants(type, want->name) || client.held(type, want->name) == want->version)
        continue;
      if (lets_go_unseen(connection, type, want->name)) continue;
      if (!connection.stream->quarantine().holds(type, *want) || !client.refuses(type, *want, now_))
        throw Complaint(connection.name + " was not given " + show(type, want->name));
    }
    const bool says_what_goes = connection.client->flavour() == Flavour::Delta;
    for (const auto& each : client.all_held(type)) {
      if (!says_what_goes && is_named(type)) continue;  // it goes with what refers to it
      if (find_resource(target_->of(type), each->name) || client.misleads()) continue;
      if (client.inherits(type, each->name) && client.disputes(type, each->name)) continue;
      if (!keeps_older(connection))
        throw Complaint(connection.name + " was left with " + show(type, each->name));
    }
  }
  for (const auto& each : connection.stream->resources()) {
    if (!client.wants(each.type, each.name) || client.misleads(each.type) ||
        client.forgot(each.type, each.name))
      continue;
    const bool unknown = !each.held && (client.inherits(each.type, each.name) ||
                                        client.took_in_part(each.type, each.name));
    const std::string held = each.held ? each.held->version : "";
    const std::string has = client.held(each.type, each.name);
    if (unknown || held == has) continue;
    throw Complaint(connection.name + " holds " + show(each.type, each.name) + " as '" + has +
                    "', and the server thinks '" + held + "'");
  }
}

// "Equal intent: nothing is sent to a proxy that already holds it."
void Run::check_reconnect(Connection& connection) {
  const bool delta = connection.client->flavour() == Flavour::Delta;
  if (!delta || !connection.stream->quarantine().empty()) return;
  connect(connection);
  for (int n = 0; n < 4; ++n) {
    round();
    wait(longest_hold);
  }
  if (connection.orderly->received() > 0)
    throw Complaint(connection.name + " was sent something again after it reconnected");
  check_settled(connection);
}

}  // namespace

void simulate(std::uint64_t seed, Trace* trace) { Run(seed, Breadth::Narrow, trace).play(); }

void simulate_widely(std::uint64_t seed, Trace* trace) { Run(seed, Breadth::Wide, trace).play(); }

}  // namespace mp::xds
