// Whatever is edited, and however the proxy answers, it ends level: with every resource of the last
// snapshot, but for those it refuses, which stay at their last good form.
#include "xds/conversation.hpp"

#include <gtest/gtest.h>

#include <random>

namespace mp::xds {
namespace {

// A client of the protocol written from its own side: it knows names and versions only.
class Client {
 public:
  Client(Flavour flavour, unsigned seed) : flavour_(flavour), talk_(flavour), random_(seed) {}

  void run() {
    for (const Type type : types) open(type);
    for (int round = 0; round < 300; ++round) {
      if (chance(30)) edit();
      if (chance(5)) resubscribe();
      if (chance(10)) hear(talk_.stream.on_time(talk_.now += Milliseconds{random_() % 400}));
      if (chance(1)) hear(talk_.stream.on_retry(talk_.now));
      if (!waiting_.empty() && chance(60)) answer();
    }
    settle();
    check();
  }

 private:
  static constexpr std::array types{Type::Cluster,  Type::Endpoint, Type::Secret,
                                    Type::Listener, Type::Route,    Type::ScopedRoute};
  using Held = std::map<std::string, std::string>;

  bool chance(unsigned percent) { return random_() % 100 < percent; }
  static bool wild(Type type) {
    return type == Type::Cluster || type == Type::Listener || type == Type::ScopedRoute;
  }
  static bool bad(const std::string& version) { return version.starts_with("bad"); }

  Request request_for(Type type) {
    Request request = talk_.request_for(type);
    if (flavour_ == Flavour::StateOfTheWorld && !wild(type)) {
      request.subscribe = {names_[type].begin(), names_[type].end()};
    }
    return request;
  }

  void open(Type type) {
    if (!wild(type)) {
      for (int n = 0; n < 8; ++n) names_[type].insert("r" + std::to_string(n));
    }
    Request request = request_for(type);
    if (flavour_ == Flavour::Delta && !wild(type)) {
      request.subscribe = {names_[type].begin(), names_[type].end()};
    }
    hear(talk_.stream.on_request(request, talk_.now));
  }

  void edit() {
    for (int n = 0; n < 3; ++n) {
      auto& resources = content_[types[random_() % types.size()]];
      const std::string name = "r" + std::to_string(random_() % 12);
      if (chance(25))
        resources.erase(name);
      else
        resources[name] = (chance(15) ? "bad" : "v") + std::to_string(random_() % 50);
    }
    hear(talk_.stream.on_snapshot(snapshot(++revision_, content_), talk_.now));
  }

  // In delta a name may be dropped and asked for at any time; else with the next answer.
  void resubscribe() {
    const Type type = types[1 + random_() % 2];
    const std::string name = "r" + std::to_string(random_() % 12);
    Request request = talk_.request_for(type);
    if (names_[type].contains(name)) {
      names_[type].erase(name);
      // A state-of-the-world server may never see a name go and come back: the client keeps it.
      if (flavour_ == Flavour::Delta) held_[type].erase(name);
      request.unsubscribe = {name};
    } else {
      names_[type].insert(name);
      request.subscribe = {name};
    }
    if (flavour_ == Flavour::Delta)
      hear(talk_.stream.on_request(request, talk_.now));
    else
      answer_last(type);
  }

  // A state-of-the-world client says its new names with the nonce of what it saw last.
  void answer_last(Type type) {
    Request request = request_for(type);
    request.nonce = seen_[type];
    hear(talk_.stream.on_request(request, talk_.now));
  }

  void hear(const std::vector<Response>& responses) {
    waiting_.insert(waiting_.end(), responses.begin(), responses.end());
  }

  void answer() {
    const Response response = waiting_.front();
    waiting_.erase(waiting_.begin());
    seen_[response.type] = response.nonce;
    Held& held = held_[response.type];
    std::string blame;
    Held next = held;
    const bool all = flavour_ == Flavour::StateOfTheWorld && wild(response.type);
    if (all) next.clear();
    for (const auto& each : response.resources) {
      if (!wild(response.type) && !names_[response.type].contains(each->name)) {
        unseen_[response.type].insert(each->name);
        continue;
      }
      unseen_[response.type].erase(each->name);
      if (bad(each->version)) blame += (blame.empty() ? "" : ", ") + each->name + ": bad";
      if (!bad(each->version))
        next[each->name] = each->version;
      else if (all && held.contains(each->name))
        next[each->name] = held[each->name];
    }
    for (const auto& name : response.removed) next.erase(name);
    Request request = request_for(response.type);
    request.nonce = response.nonce;
    // Both ways of Envoy: clusters by name, the rest applied; or nothing applied and nothing named.
    const bool named = response.type == Type::Cluster;
    if (blame.empty() || named) held = next;
    if (!blame.empty())
      request.error = named ? "Error adding/updating cluster(s) " + blame : "refused";
    hear(talk_.stream.on_request(request, talk_.now));
  }

  void settle() {
    int quiet = 0;
    for (int n = 0; n < 10'000 && quiet < 3; ++n) {
      if (waiting_.empty()) {
        ++quiet;
        hear(talk_.stream.on_time(talk_.now += longest_expectation));
      } else {
        quiet = 0;
        answer();
      }
    }
    ASSERT_TRUE(waiting_.empty());
    // Names that were changed while a response was on its way.
    if (flavour_ == Flavour::StateOfTheWorld) {
      for (const Type type : named) answer_last(type);
      while (!waiting_.empty()) answer();
    }
  }

  void check() {
    EXPECT_TRUE(talk_.stream.progress().settled);
    EXPECT_EQ(talk_.stream.progress().revision, revision_);
    std::size_t refused = 0;
    for (const Type type : types) {
      for (const auto& [name, version] : content_[type]) {
        if (!wild(type) && !names_[type].contains(name)) continue;
        if (bad(version) && unseen_[type].contains(name)) {
          refused += talk_.stream.quarantine().contains(type, name) ? 1 : 0;
        } else if (bad(version)) {
          EXPECT_TRUE(talk_.stream.quarantine().contains(type, name)) << noun(type) << " " << name;
          ++refused;
        } else {
          EXPECT_EQ(held_[type][name], version) << noun(type) << " " << name;
        }
      }
      if (flavour_ == Flavour::Delta || wild(type)) check_no_more(type);
    }
    EXPECT_EQ(talk_.stream.quarantine().list().size(), refused);
  }

  // What is gone from the snapshot is gone from the client, unless a refused user may need it.
  void check_no_more(Type type) {
    if (!talk_.stream.quarantine().empty() && type != Type::Listener) return;
    for (const auto& [name, version] : held_[type]) {
      EXPECT_TRUE(content_[type].contains(name)) << noun(type) << " " << name;
    }
  }

  static constexpr std::array named{Type::Endpoint, Type::Secret, Type::Route};

  Flavour flavour_;
  Conversation talk_;
  std::mt19937 random_;
  Content content_;
  std::int64_t revision_ = 0;
  std::vector<Response> waiting_;
  std::map<Type, std::set<std::string>> names_;
  std::map<Type, Held> held_;
  std::map<Type, std::string> seen_;
  // Passed over, and acknowledged with the rest, as nobody wanted them at that moment.
  std::map<Type, std::set<std::string>> unseen_;
};

class LevelTest : public testing::TestWithParam<Flavour> {};

TEST_P(LevelTest, AnyEditsAndAnswersEndLevel) {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    Client{GetParam(), seed}.run();
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Both, LevelTest,
                         testing::Values(Flavour::Delta, Flavour::StateOfTheWorld));

}  // namespace
}  // namespace mp::xds
