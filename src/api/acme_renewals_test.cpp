// Renewals at an ACME server: that one manager works on each, that what is given up leaves nothing
// behind, and that neither crashes nor clocks stop them. Whole renewals are tested against pebble.
#include "api/acme_renewals.hpp"

#include "crypto/test_certificates.hpp"
#include "store/test_database.hpp"

#include <gmock/gmock.h>
#include <boost/json.hpp>

#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

namespace mp::api {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using testing::ElementsAre;

const std::string base = "https://acme.example/";

// Takes orders, and never decides.
class Server final : public Fetch {
 public:
  FetchReply ask(const FetchRequest& request) override {
    const std::string path = request.url.substr(base.size());
    if (path.starts_with("order/")) ++looks;
    if (on_ask) on_ask(path);
    if (is_down) return {.failure = "Connection refused"};
    FetchReply reply{.status = 200, .headers = {{"replay-nonce", "nonce"}}, .body = "{}"};
    if (path == "directory")
      reply.body = R"({"newNonce": "https://acme.example/nonce",
          "newAccount": "https://acme.example/account", "newOrder": "https://acme.example/orders"})";
    else if (path == "account")
      reply.headers.emplace_back("location", base + "account/1");
    else if (path == "orders")
      reply.headers.emplace_back("location", base + "order/" + std::to_string(++orders));
    if (path == "orders" || path.starts_with("order/")) reply.body = json::serialize(order());
    if (path.starts_with("names/")) reply.body = json::serialize(authorization(path.substr(6)));
    return reply;
  }
  void stop() override {}

  std::function<void(const std::string& path)> on_ask;
  bool is_down = false;
  int orders = 0, looks = 0, names = 1;

 private:
  json::object order() const {
    json::array authorizations;
    for (int each = 0; each < names; ++each)
      authorizations.emplace_back(base + "names/" + std::to_string(orders) + "-" +
                                  std::to_string(each));
    return {{"status", "pending"},
            {"finalize", base + "finalize"},
            {"authorizations", std::move(authorizations)}};
  }
  static json::object authorization(const std::string& name) {
    json::array challenges;
    for (const auto* type : {"http-01", "dns-01"})
      challenges.push_back(
          json::object{{"type", type}, {"url", base + "proof"}, {"token", "token-" + name}});
    return {{"status", "pending"},
            {"identifier", json::object{{"value", "shop.example"}}},
            {"challenges", std::move(challenges)}};
  }
};

struct AcmeRenewalsTest : test::StoreTest {
  AcmeRenewalsTest() {
    settings.directory = base + "directory";
    settings.challenge = AcmeChallenge::Http01;
  }

  // One that ends soon.
  Certificate expiring(const std::string& name) {
    const auto made = test::make_certificate(
        {.names = {name}, .begin = clock.now() - 80 * 24h, .end = clock.now() + 10 * 24h});
    return add(Certificate{.name = name,
                           .subject_alt_names = {name},
                           .auto_renew = true,
                           .not_before = clock.now() - 80 * 24h,
                           .expires_at = clock.now() + 10 * 24h,
                           .fingerprint_sha256 = name,
                           .cert_pem = made.pem(),
                           .key_pem = Secret(made.key_pem())});
  }
  // A program that writes down its calls, and goes on when it may.
  void use_hook() {
    settings.challenge = AcmeChallenge::Dns01;
    settings.dns_hook = folder.path() + "/hook";
    std::ofstream(settings.dns_hook)
        << "#!/bin/sh\necho \"$1\" >>'" << folder.path() << "/log'\n"
        << "while [ -e '" << folder.path() << "/wait' ]; do sleep 0.01; done\n";
    std::filesystem::permissions(settings.dns_hook, std::filesystem::perms::owner_all);
  }
  std::vector<std::string> hook_calls() {
    std::ifstream log(folder.path() + "/log");
    std::vector<std::string> calls;
    for (std::string line; std::getline(log, line);) calls.push_back(line);
    return calls;
  }
  void give_up(std::int64_t id) {
    store->write(actor, [&](Writer& db) { give_up_renewal(db, id); });
  }
  AcmeRenewals make() { return {*store, clock, settings, server}; }

  Server server;
  AcmeSettings settings;
  test::Directory folder;
};
INSTANTIATE_TEST_SUITE_P(Both, AcmeRenewalsTest, testing::Values("sqlite", "postgresql"),
                         test::kind_name);

TEST_P(AcmeRenewalsTest, ASlowServerBringsNoSecondOrder) {
  expiring("shop.example");
  AcmeRenewals one = make(), other = make();
  server.names = 40;
  bool others_turn = false;
  server.on_ask = [&](const std::string&) {
    if (others_turn) return;
    clock.advance(4s);
    others_turn = true;
    other.tend();
    others_turn = false;
  };
  one.tend();
  EXPECT_EQ(server.orders, 1);
  EXPECT_EQ(count<KeptProof>(), 40);
  EXPECT_EQ(find<Renewal>(1)->order_url, base + "order/1");
}

TEST_P(AcmeRenewalsTest, ASlowHookBringsNoSecondOrder) {
  const Certificate certificate = expiring("shop.example");
  use_hook();
  std::ofstream(folder.path() + "/wait").close();
  AcmeRenewals one = make(), other = make();
  std::jthread working([&] { one.tend(); });
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  while (hook_calls().empty() && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(5ms);
  clock.advance(100s);
  store->write(actor, [&](Writer& db) { ask_for_renewal(db, certificate); });
  other.tend();
  std::filesystem::remove(folder.path() + "/wait");
  working.join();
  EXPECT_EQ(server.orders, 1);
  EXPECT_THAT(hook_calls(), ElementsAre("present"));
}

TEST_P(AcmeRenewalsTest, WhatIsGivenUpIsCleanedUpOnce) {
  const Certificate certificate = expiring("shop.example");
  use_hook();
  AcmeRenewals one = make(), other = make();
  one.tend();
  EXPECT_EQ(count<KeptProof>(), 1);
  store->write(actor, [&](Writer& db) {
    db.remove(certificate);
    give_up_renewal(db, certificate.id);
  });
  clock.advance(5s);
  one.tend();
  other.tend();
  EXPECT_EQ(count<KeptProof>(), 0);
  EXPECT_EQ(count<Renewal>(), 0);
  EXPECT_EQ(server.looks, 0);
  EXPECT_THAT(hook_calls(), ElementsAre("present", "cleanup"));
}

TEST_P(AcmeRenewalsTest, WhatIsGivenUpMeanwhileHindersNoOther) {
  const Certificate first = expiring("first.example");
  const Certificate second = expiring("second.example");
  AcmeRenewals renewals = make();
  server.on_ask = [&](const std::string& path) {
    if (path != "orders" || server.orders > 0) return;
    give_up(first.id);
    auto changed = *find<Certificate>(first.id);
    changed.auto_renew = false;
    store->write(actor, [&](Writer& db) { db.update(changed); });
  };
  renewals.tend();
  EXPECT_FALSE(find<Renewal>(first.id));
  EXPECT_EQ(find<Renewal>(second.id)->order_url, base + "order/2");
}

TEST_P(AcmeRenewalsTest, AnAttemptThatWasCutOffIsCleanedUpByTheNext) {
  expiring("shop.example");
  use_hook();
  server.on_ask = [](const std::string& path) {
    if (path == "proof") throw unavailable("The server is stopping", "");
  };
  EXPECT_EQ(test::error_of([&] { make().tend(); }).code, Code::Unavailable);
  EXPECT_EQ(find<Renewal>(1)->order_url, "");
  server.on_ask = nullptr;
  AcmeRenewals after_the_start = make();
  clock.advance(10min);
  after_the_start.tend();
  EXPECT_EQ(find<Renewal>(1)->order_url, base + "order/2");
  EXPECT_THAT(hook_calls(), ElementsAre("present", "cleanup", "present"));
}

TEST_P(AcmeRenewalsTest, AClockThatWentBackDelaysNothing) {
  expiring("shop.example");
  AcmeRenewals renewals = make();
  const Time today = clock.now();
  clock.advance(365 * 24h);
  server.is_down = true;
  renewals.tend();
  EXPECT_EQ(find<Renewal>(1)->failures, 1);
  server.is_down = false;
  clock.advance(today - clock.now());
  renewals.tend();
  EXPECT_EQ(server.orders, 1);
}

}  // namespace
}  // namespace mp::api
