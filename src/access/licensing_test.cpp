// The licence over time: what is asked when, what is kept, what it opens, and who is told.
#include "access/licensing.hpp"

#include "store/test_database.hpp"

#include <boost/json.hpp>

#include <functional>
#include <latch>
#include <thread>

namespace mp::test {
namespace {

using namespace std::chrono_literals;

const Secret key("PENG-AAAA-BBBB-CCCC-DDDD-0001");
const Secret other_key("PENG-AAAA-BBBB-CCCC-DDDD-0002");

// Answers as it is told, and remembers what it was asked.
class Server final : public Fetch {
 public:
  FetchReply ask(const FetchRequest& request) override {
    if (request.method == "GET") return looked_for(request);
    const bool validate = request.url.ends_with("/api/v2/validate");
    (validate ? validations : keepalives).push_back(request);
    if (before_answer) before_answer();
    if (is_down) return {.failure = "Connection refused"};
    if (!validate) return {.status = 200, .body = "{}"};
    if (is_refusing) return {.status = 404};
    return {.status = 200, .body = json::serialize(grant(request))};
  }
  void stop() override {}

  std::vector<FetchRequest> validations, keepalives, looks;
  std::function<void()> before_answer;
  bool is_down = false, is_refusing = false;
  int look_status = 405;
  std::string expires_at = "2027-01-01T00:00:00Z";

 private:
  FetchReply looked_for(const FetchRequest& request) {
    looks.push_back(request);
    if (is_down) return {.failure = "Connection refused"};
    return {.status = look_status};
  }
  json::object grant(const FetchRequest& request) const {
    return {{"valid", true},
            {"product", "marchproxy"},
            {"license_key", request.headers.front().substr(22)},
            {"expires_at", expires_at},
            {"tier", "enterprise"},
            {"features", json::array{json::object{{"name", "multi_cluster"}, {"entitled", true}}}},
            {"limits", json::object{{"max_servers", 10}}},
            {"metadata", json::object{{"server_id", "srv-1"}}}};
  }
};

class LicensingTest : public StoreTest {
 protected:
  Settings settings_with(const Secret& license_key) {
    Settings settings;
    settings.license.key = license_key;
    settings.license.server_url = "https://license.example/base/";
    return settings;
  }
  std::unique_ptr<Licensing> make(const Settings& settings) {
    return std::make_unique<Licensing>(*store, clock, settings, server);
  }
  void enter(Licensing& license, const Secret& entered) {
    const LicenseAnswer answer = license.ask(entered);
    store->write(actor, [&](Writer& db) { Licensing::keep(db, entered, answer); });
    license.reload();
  }
  void later(Licensing& license, Milliseconds time) {
    clock.advance(time);
    license.tend();
  }
  // "unverified to active by manager"
  std::vector<std::string> told(std::int64_t after = 0) {
    std::vector<std::string> list;
    const auto state = [](const std::string& text) {
      return text.empty() ? std::string("nothing")
                          : std::string(json::parse(text).at("state").as_string());
    };
    for (const ChangeEntry& entry : changes(after))
      list.push_back(state(entry.before) + " to " + state(entry.after) + " by " + entry.actor.name);
    return list;
  }

  Server server;
  const Settings plain = settings_with(Secret());
  const Settings with_key = settings_with(key);
};
INSTANTIATE_TEST_SUITE_P(Both, LicensingTest, testing::Values("sqlite", "postgresql"), kind_name);

TEST_P(LicensingTest, IsCommunityWithoutAKeyAndAsksNobody) {
  const auto license = make(plain);
  license->tend();
  later(*license, 48h);
  EXPECT_EQ(license->now().state, LicenseState::None);
  EXPECT_TRUE(license->now().valid);
  EXPECT_EQ(license->now().max_proxies, 3);
  EXPECT_TRUE(server.validations.empty() && server.keepalives.empty());
}

TEST_P(LicensingTest, AsksForTheKeyOfTheSettingsInTheBackground) {
  const auto license = make(with_key);
  EXPECT_TRUE(server.validations.empty());
  EXPECT_EQ(license->now().state, LicenseState::Unverified);
  EXPECT_FALSE(license->now().valid);
  EXPECT_EQ(license->now().max_clusters, 1);
  license->tend();
  ASSERT_EQ(server.validations.size(), 1u);
  const FetchRequest& asked = server.validations.front();
  EXPECT_EQ(asked.url, "https://license.example/base/api/v2/validate");
  EXPECT_EQ(asked.headers.front(), "Authorization: Bearer " + key.reveal());
  EXPECT_EQ(asked.body, R"({"product":"marchproxy"})");
  EXPECT_EQ(license->now().state, LicenseState::Active);
  EXPECT_EQ(license->now().max_proxies, 10);
  EXPECT_EQ(license->now().max_clusters, unlimited);
  EXPECT_TRUE(has_feature(license->now().features, "multi_cluster"));
  EXPECT_EQ(told(), (std::vector<std::string>{"nothing to unverified by manager",
                                              "unverified to active by manager"}));
}

TEST_P(LicensingTest, KeepsAnAnswerForAnHour) {
  const auto license = make(with_key);
  license->tend();
  later(*license, 59min + 59s);
  EXPECT_EQ(server.validations.size(), 1u);
  later(*license, 1s);
  EXPECT_EQ(server.validations.size(), 2u);
  EXPECT_EQ(told().size(), 2u) << "the same answer is no change";
  server.expires_at = "2028-01-01T00:00:00Z";
  later(*license, 1h);
  EXPECT_EQ(told().size(), 3u) << "another one is";
}

TEST_P(LicensingTest, OutlivesAServerFailureForADay) {
  const auto license = make(with_key);
  license->tend();
  server.is_down = true;
  later(*license, 1h);
  EXPECT_EQ(license->now().state, LicenseState::Grace);
  EXPECT_TRUE(license->now().valid);
  later(*license, 23h + 59min);
  EXPECT_EQ(license->now().max_proxies, 10);
  clock.advance(1min);
  EXPECT_EQ(license->now().state, LicenseState::Lapsed) << "without anybody noticing first";
  EXPECT_EQ(license->now().max_proxies, 3);
  license->tend();
  server.is_down = false;
  later(*license, 2min);
  EXPECT_EQ(license->now().state, LicenseState::Active);
  EXPECT_EQ(told(), (std::vector<std::string>{
                        "nothing to unverified by manager", "unverified to active by manager",
                        "active to grace by manager", "grace to lapsed by manager",
                        "lapsed to active by manager"}));
}

TEST_P(LicensingTest, MissesTheServerWithinMinutesAndFindsItAgain) {
  const auto license = make(with_key);
  license->tend();
  later(*license, 2min - 1s);
  EXPECT_TRUE(server.looks.empty());
  later(*license, 1s);
  ASSERT_EQ(server.looks.size(), 1u);
  EXPECT_EQ(server.looks[0].url, "https://license.example/base/api/v2/validate");
  EXPECT_TRUE(server.looks[0].headers.empty()) << "without the key";
  EXPECT_EQ(server.validations.size(), 1u) << "it is there, and its answer still counts";
  server.is_down = true;
  later(*license, 2min);
  EXPECT_EQ(license->now().state, LicenseState::Grace);
  EXPECT_EQ(license->kept()->failing_since, clock.now());
  for (const auto wait : {15s, 15s, 30s, 60s, 60s}) {
    const auto asked = server.validations.size();
    later(*license, wait - 1s);
    EXPECT_EQ(server.validations.size(), asked) << wait.count();
    later(*license, 1s);
    EXPECT_EQ(server.validations.size(), asked + 1) << wait.count();
  }
  server.is_down = false;
  later(*license, 2min);
  EXPECT_EQ(license->now().state, LicenseState::Active);
  EXPECT_FALSE(license->kept()->failing_since);
}

// Whoever answers that way may be a gateway before a server that is gone, or one that knows no GET.
TEST_P(LicensingTest, AsksWhenTheServerLooksBroken) {
  const auto license = make(with_key);
  license->tend();
  server.look_status = 503;
  later(*license, 2min);
  EXPECT_EQ(server.validations.size(), 2u);
  EXPECT_EQ(license->now().state, LicenseState::Active);
  server.look_status = 501;
  later(*license, 2min);
  EXPECT_EQ(server.validations.size(), 2u);
}

TEST_P(LicensingTest, CountsTheDayFromTheFirstFailureOverRestarts) {
  auto license = make(with_key);
  license->tend();
  server.is_down = true;
  clock.advance(100h);  // nobody was running
  license = make(with_key);
  EXPECT_EQ(license->now().state, LicenseState::Active);
  license->tend();
  EXPECT_EQ(license->now().state, LicenseState::Grace);
  clock.advance(23h);
  license = make(with_key);
  license->tend();
  EXPECT_EQ(license->now().state, LicenseState::Grace);
  clock.advance(1h);
  EXPECT_EQ(license->now().state, LicenseState::Lapsed);
}

TEST_P(LicensingTest, EndsByOurClock) {
  server.expires_at = to_string(clock.now() + 30min);
  const auto license = make(with_key);
  license->tend();
  clock.advance(30min - 1s);
  EXPECT_EQ(license->now().state, LicenseState::Active);
  clock.advance(1s);
  EXPECT_EQ(license->now().state, LicenseState::Expired);
  EXPECT_EQ(license->now().type, LicenseType::Enterprise);
  EXPECT_FALSE(license->now().valid);
  EXPECT_EQ(license->now().max_clusters, 1);
  license->tend();
  EXPECT_EQ(told().back(), "active to expired by manager");
  EXPECT_EQ(server.validations.size(), 1u);
  server.expires_at = "2028-01-01T00:00:00Z";  // it was renewed
  later(*license, 30min);
  EXPECT_EQ(license->now().state, LicenseState::Active);
}

TEST_P(LicensingTest, AClockThatWentBackDelaysNothing) {
  const auto license = make(with_key);
  later(*license, 365 * 24h);
  server.is_down = true;
  later(*license, 1h);
  later(*license, -365 * 24h);
  EXPECT_TRUE(license->kept()->failing_since == clock.now() && server.keepalives.size() == 2);
}

TEST_P(LicensingTest, IsLostWhenTheServerRefusesIt) {
  const auto license = make(with_key);
  license->tend();
  server.is_refusing = true;
  later(*license, 1h);
  EXPECT_EQ(license->now().state, LicenseState::Refused);
  EXPECT_EQ(license->now().max_proxies, 3);
  server.is_down = true;
  later(*license, 1h);
  EXPECT_EQ(license->now().state, LicenseState::Refused) << "silence is no pardon";
  server.is_down = server.is_refusing = false;
  later(*license, 2min);
  EXPECT_EQ(license->now().state, LicenseState::Active);
}

TEST_P(LicensingTest, SurvivesARestart) {
  make(with_key)->tend();
  reopen();
  server.is_down = true;
  const auto license = make(plain);
  EXPECT_EQ(license->now().state, LicenseState::Active);
  EXPECT_EQ(license->now().max_proxies, 10);
  EXPECT_TRUE(has_feature(license->now().features, "multi_cluster"));
  license->tend();
  EXPECT_EQ(server.validations.size(), 2u) << "a start asks, whenever the last answer came";
  EXPECT_TRUE(license->now().valid);
}

TEST_P(LicensingTest, TakesAKeyOfTheSettingsOnce) {
  const auto license = make(with_key);
  enter(*license, other_key);
  EXPECT_TRUE(license->kept()->key == other_key);
  EXPECT_TRUE(make(with_key)->kept()->key == other_key) << "the later one stays";
  EXPECT_TRUE(make(plain)->kept()->key == other_key);
  const Settings third = settings_with(Secret("PENG-AAAA-BBBB-CCCC-DDDD-0003"));
  EXPECT_TRUE(make(third)->kept()->key == third.license.key) << "a new setting is later still";
  EXPECT_EQ(make(third)->now().state, LicenseState::Unverified);
}

TEST_P(LicensingTest, KeepsOnlyWhatWasGranted) {
  const auto license = make(plain);
  server.is_refusing = true;
  enter(*license, key);
  EXPECT_EQ(license->kept(), nullptr);
  std::swap(server.is_refusing, server.is_down);
  enter(*license, key);
  EXPECT_EQ(license->kept(), nullptr);
  server.is_down = false;
  enter(*license, key);
  EXPECT_EQ(license->now().state, LicenseState::Active);
  server.is_refusing = true;
  enter(*license, other_key);
  EXPECT_EQ(license->now().state, LicenseState::Active);
  enter(*license, key);
  EXPECT_EQ(license->now().state, LicenseState::Refused);
  EXPECT_EQ(told(),
            (std::vector<std::string>{"nothing to active by olga", "active to refused by olga"}));
}

TEST_P(LicensingTest, HasOneManagerOfSeveralAsk) {
  const auto one = make(with_key);
  const auto two = make(plain);
  one->tend();
  two->tend();
  const auto asked = server.validations.size();
  EXPECT_EQ(server.keepalives.size(), 1u);
  clock.advance(1h);
  one->tend();
  two->tend();
  EXPECT_EQ(server.validations.size(), asked + 1);
  EXPECT_EQ(two->now().state, LicenseState::Active);
  EXPECT_EQ(two->kept()->answered_at, clock.now());
  enter(*one, other_key);
  two->tend();
  EXPECT_TRUE(two->kept()->key == other_key);
}

TEST_P(LicensingTest, ForgetsAnAnswerForAKeyThatWasReplaced) {
  const auto license = make(with_key);
  server.before_answer = [&] {
    server.before_answer = nullptr;
    enter(*license, other_key);
  };
  license->tend();
  EXPECT_EQ(server.validations.size(), 2u);
  EXPECT_TRUE(license->kept()->key == other_key);
}

TEST_P(LicensingTest, SendsAKeepaliveADay) {
  add(cluster("main"));
  add(Proxy{
      .id = "p", .hostname = "p", .cluster_id = 1, .version = "v1.0.0", .last_seen = clock.now()});
  const auto license = make(with_key);
  clock.advance(5s);
  license->tend();
  ASSERT_EQ(server.keepalives.size(), 1u);
  EXPECT_EQ(server.keepalives[0].url, "https://license.example/base/api/v2/keepalive");
  const json::value body = json::parse(server.keepalives[0].body);
  EXPECT_EQ(body.at("product").as_string(), "marchproxy");
  EXPECT_EQ(body.at("server_id").as_string(), "srv-1");
  EXPECT_EQ(body.at("uptime_seconds").as_int64(), 5);
  EXPECT_FALSE(body.at("hostname").as_string().empty() || body.at("version").as_string().empty());
  EXPECT_EQ(body.at("usage_stats"), (json::object{{"active_proxies", 1}, {"active_clusters", 1}}));
  later(*license, 24h - 1s);
  EXPECT_EQ(server.keepalives.size(), 1u);
  server.is_down = true;
  later(*license, 1s);
  EXPECT_EQ(server.keepalives.size(), 2u);
  server.is_down = false;
  later(*license, 59min);
  EXPECT_EQ(server.keepalives.size(), 2u);
  later(*license, 1min);
  EXPECT_EQ(server.keepalives.size(), 3u) << "again after an hour";
}

TEST_P(LicensingTest, TellsTheKeyToNobody) {
  make(with_key)->tend();
  store->read([&](Reader& db) {
    const auto row = db.query("SELECT key FROM licenses", {}, {Column::Text});
    EXPECT_EQ(std::get<std::string>(row[0][0]).find("AAAA"), std::string::npos) << "it is sealed";
  });
  for (const ChangeEntry& entry : changes()) {
    EXPECT_EQ((entry.before + entry.after).find("AAAA"), std::string::npos);
    EXPECT_EQ(json::parse(entry.after).at("license_key").as_string(),
              "PENG-****-****-****-****-0001");
  }
}

TEST_P(LicensingTest, LetsFewAskAtATime) {
  std::latch all_asking(4), go_on(1);
  struct Slow final : Fetch {
    FetchReply ask(const FetchRequest&) override { return wait(); }
    void stop() override {}
    std::function<FetchReply()> wait;
  } slow;
  slow.wait = [&]() -> FetchReply {
    all_asking.count_down();
    go_on.wait();
    return {.failure = "too slow"};
  };
  Licensing busy(*store, clock, plain, slow);
  std::vector<std::jthread> threads;
  for (int each = 0; each < 4; ++each) threads.emplace_back([&] { busy.ask(key); });
  all_asking.wait();
  EXPECT_EQ(error_of([&] { busy.ask(key); }).code, Code::Unavailable);
  go_on.count_down();
  threads.clear();
  slow.wait = [] { return FetchReply{.failure = "slow"}; };
  EXPECT_EQ(busy.ask(key).verdict, LicenseVerdict::None);
}

}  // namespace
}  // namespace mp::test
