#include "access/rate.hpp"

#include "store/test_database.hpp"

#include <gmock/gmock.h>

#include <thread>

namespace mp {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const RateLimitSettings limits{
    .authentication = "5/minute", .general = "1000/hour", .configuration = "off"};

Caller from(const std::string& address) {
  Caller caller;
  caller.address = address;
  return caller;
}

Caller session_of(std::int64_t id) {
  Caller caller;
  caller.user = std::make_shared<const User>(User{.id = id});
  caller.address = "192.0.2.1";
  return caller;
}

class RatesTest : public test::StoreTest {
 protected:
  Time now = clock.now();
  Registry metrics;
};

TEST_P(RatesTest, count_by_address_user_or_cluster) {
  Rates rates(limits, *store, metrics);
  for (int at = 0; at < 5; ++at)
    EXPECT_TRUE(rates.take(Rate::Authentication, session_of(7), now)->allowed);
  EXPECT_FALSE(rates.take(Rate::Authentication, from("192.0.2.1"), now)->allowed)
      << "the address counts, not who he says he is";
  EXPECT_TRUE(rates.take(Rate::Authentication, from("192.0.2.2"), now)->allowed);
  EXPECT_EQ(rates.take(Rate::General, session_of(7), now)->remaining, 999);
  EXPECT_EQ(rates.take(Rate::General, session_of(7), now)->remaining, 998);
  EXPECT_EQ(rates.take(Rate::General, session_of(8), now)->remaining, 999);
  EXPECT_EQ(rates.take(Rate::General, from("192.0.2.1"), now)->remaining, 999)
      << "nobody is counted by his address";
  EXPECT_EQ(rates.take(Rate::General, from("192.0.2.2"), now)->remaining, 999);
}

TEST_P(RatesTest, say_nothing_where_nothing_is_limited) {
  Rates rates(limits, *store, metrics);
  EXPECT_FALSE(rates.take(Rate::Unlimited, session_of(7), now));
  EXPECT_FALSE(rates.take(Rate::Configuration, session_of(7), now)) << "off";
}

TEST_P(RatesTest, open_a_window_anew_when_it_has_closed) {
  Rates rates(limits, *store, metrics);
  const Caller caller = from("192.0.2.1");
  for (int at = 0; at < 6; ++at) rates.take(Rate::Authentication, caller, now);
  const auto refused = rates.take(Rate::Authentication, caller, now + 1min - 1ms);
  EXPECT_FALSE(refused->allowed);
  EXPECT_EQ(refused->reset, now + 1min);
  const auto again = rates.take(Rate::Authentication, caller, now + 1min);
  EXPECT_TRUE(again->allowed);
  EXPECT_EQ(again->remaining, 4);
  EXPECT_EQ(again->reset, now + 2min);
}

TEST_P(RatesTest, report_what_they_count) {
  Rates rates(limits, *store, metrics);
  metrics.on_scrape([&](Scrape& scrape) { rates.report(scrape, now); });
  for (int at = 0; at < 8; ++at) rates.take(Rate::Authentication, from("192.0.2.1"), now);
  rates.take(Rate::Authentication, from("192.0.2.2"), now);
  const std::string text = metrics.text();
  const std::string series = "marchproxy_rate_limit_requests_total{category=\"authentication\",";
  EXPECT_THAT(text, HasSubstr(series + "outcome=\"allowed\"} 6"));
  EXPECT_THAT(text, HasSubstr(series + "outcome=\"refused\"} 3"));
  EXPECT_THAT(text, HasSubstr("marchproxy_rate_limit_keys{category=\"authentication\"} 2"));
  EXPECT_THAT(text, HasSubstr("marchproxy_rate_limit_keys{category=\"general\"} 0"));
}

TEST_P(RatesTest, forget_what_has_closed) {
  Rates rates(limits, *store, metrics);
  rates.take(Rate::Authentication, from("192.0.2.1"), now);
  rates.take(Rate::General, session_of(7), now);
  rates.forget_closed(now + 1min);
  if (!database.is_postgresql()) return;
  store->read([&](Reader& db) {
    const auto rows = db.query("SELECT category FROM rate_windows", {}, {Column::Text});
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(std::get<std::string>(rows[0][0]), "general");
  });
}

INSTANTIATE_TEST_SUITE_P(Databases, RatesTest, testing::Values("sqlite", "postgresql"),
                         test::kind_name);

class SharedRates : public test::StoreTest {};

// The same store key: what several managers of one installation have.
TEST_P(SharedRates, are_exact_for_several_managers) {
  Store second(database.options(), clock);
  Registry metrics, others;
  Rates one(limits, *store, metrics), two(limits, second, others);
  const Time now = clock.now();
  std::atomic<int> allowed{0};
  const auto ask = [&](Rates& rates, int times) {
    for (int at = 0; at < times; ++at)
      allowed += rates.take(Rate::General, session_of(7), now)->allowed;
  };
  std::vector<std::thread> threads;
  for (Rates* rates : {&one, &two, &one, &two}) threads.emplace_back(ask, std::ref(*rates), 270);
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(allowed, 1000);
  for (int at = 0; at < 5; ++at)
    EXPECT_EQ(two.take(Rate::Authentication, from("192.0.2.1"), now)->remaining, 4 - at);
  EXPECT_FALSE(one.take(Rate::Authentication, from("192.0.2.1"), now)->allowed);
}

TEST_P(SharedRates, ask_the_database_no_more_once_somebody_is_over_his_quota) {
  Registry metrics;
  Rates rates(limits, *store, metrics);
  for (int at = 0; at < 6; ++at) rates.take(Rate::Authentication, from("192.0.2.1"), clock.now());
  store->tally("DELETE FROM rate_windows", {}, {});
  EXPECT_FALSE(rates.take(Rate::Authentication, from("192.0.2.1"), clock.now())->allowed);
  EXPECT_TRUE(rates.take(Rate::Authentication, from("192.0.2.2"), clock.now())->allowed);
}

TEST_P(SharedRates, go_on_when_the_database_has_been_away) {
  Registry metrics;
  Rates rates(limits, *store, metrics);
  rates.take(Rate::Authentication, from("192.0.2.1"), clock.now());
  test::on_server(database.server(),
                  "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                  "WHERE datname = '" +
                      database.name() + "'");
  EXPECT_EQ(rates.take(Rate::Authentication, from("192.0.2.1"), clock.now())->remaining, 3);
}

INSTANTIATE_TEST_SUITE_P(Databases, SharedRates, testing::Values("postgresql"), test::kind_name);

}  // namespace
}  // namespace mp
