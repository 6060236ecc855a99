#include "access/limiter.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace mp {
namespace {

using namespace std::chrono_literals;

const Time start = *parse_time("2026-03-01T10:00:00Z");

std::string key(std::size_t number) { return "address:" + std::to_string(number); }

std::int64_t allowed(Limiter& limiter, const std::string& name, Time now, int times) {
  std::int64_t count = 0;
  for (int at = 0; at < times; ++at) count += limiter.take(name, now).allowed;
  return count;
}

TEST(Limiter, allows_exactly_the_quota_of_a_window) {
  Limiter limiter({.requests = 5, .window = 1min});
  for (std::int64_t left = 4; left >= 0; --left) {
    const Verdict verdict = limiter.take("a", start + 100ms * (4 - left));
    EXPECT_TRUE(verdict.allowed);
    EXPECT_EQ(verdict.limit, 5);
    EXPECT_EQ(verdict.remaining, left);
    EXPECT_EQ(verdict.reset, start + 1min) << "the first request opened the window";
  }
  const Verdict refused = limiter.take("a", start + 1min - 1ms);
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.remaining, 0);
  EXPECT_EQ(refused.reset, start + 1min) << "a refusal prolongs nothing";
  const Verdict again = limiter.take("a", start + 1min);
  EXPECT_TRUE(again.allowed);
  EXPECT_EQ(again.remaining, 4);
  EXPECT_EQ(again.reset, start + 2min);
}

TEST(Limiter, counts_each_key_by_itself) {
  Limiter limiter({.requests = 2, .window = 1h});
  for (std::size_t number = 0; number < 20000; ++number)
    ASSERT_EQ(allowed(limiter, key(number), start, 1), 1);
  for (std::size_t number = 0; number < 20000; ++number)
    ASSERT_EQ(allowed(limiter, key(number), start, 3), 1) << number << " after the table has grown";
  EXPECT_EQ(limiter.live(start), 20000u);
  EXPECT_EQ(limiter.live(start + 1h), 0u);
}

TEST(Limiter, needs_at_most_100_bytes_for_a_live_key) {
  Limiter limiter({.requests = 5, .window = 1min});
  for (std::size_t number = 0; number < 600'000; ++number) {
    limiter.take(key(number), start);
    if (number < 10'000 || number % 10'000 != 0) continue;
    ASSERT_LE(limiter.bytes() / (number + 1), 100u) << number;
  }
}

TEST(Limiter, uses_the_room_of_closed_windows_again) {
  Limiter limiter({.requests = 5, .window = 1min});
  Time now = start;
  for (std::size_t number = 0; number < 300'000; ++number, now += 6ms)
    limiter.take(key(number), now);
  EXPECT_LE(limiter.bytes(), 100u * 11'000) << "10,000 windows are open at a time";
}

TEST(Limiter, stays_within_its_bound_whatever_comes) {
  Limiter limiter({.requests = 5, .window = 1min}, 32'768);
  for (std::size_t number = 0; number < 200'000; ++number) limiter.take(key(number), start);
  EXPECT_LE(limiter.bytes(), 32'768u * 24 + 32u * 256);
}

// Somebody who is over his quota, or near it, brings many others to be pushed out by them.
TEST(Limiter, gives_nobody_a_fresh_window_for_pushing_himself_out) {
  for (const int before : {1, 3, 5}) {
    Limiter limiter({.requests = 5, .window = 1min}, 2'048);
    const std::size_t own = 50;
    for (std::size_t number = 0; number < own; ++number)
      ASSERT_EQ(allowed(limiter, key(number), start, before), before);
    for (std::size_t number = own; number < 60'000; ++number) limiter.take(key(number), start + 1s);
    for (std::size_t number = 0; number < own; ++number)
      EXPECT_LE(allowed(limiter, key(number), start + 59s, 5), 5 - before);
  }
}

TEST(Limiter, lets_newcomers_in_again_when_the_flood_is_over) {
  Limiter limiter({.requests = 5, .window = 1min}, 2'048);
  for (std::size_t number = 0; number < 60'000; ++number) allowed(limiter, key(number), start, 5);
  EXPECT_FALSE(limiter.take("late", start + 1s).allowed);
  EXPECT_EQ(allowed(limiter, "late", start + 1min, 6), 5);
}

TEST(Limiter, knows_a_refusal_that_it_was_told) {
  Limiter limiter({.requests = 5, .window = 1min});
  EXPECT_FALSE(limiter.refused("a", start));
  limiter.close("a", start + 30s, start);
  ASSERT_TRUE(limiter.refused("a", start + 29s));
  EXPECT_EQ(limiter.refused("a", start)->reset, start + 30s);
  EXPECT_FALSE(limiter.refused("a", start + 30s));
  EXPECT_FALSE(limiter.refused("b", start));
}

TEST(Limiter, is_exact_among_threads) {
  Limiter limiter({.requests = 1000, .window = 1h});
  std::vector<std::thread> threads;
  std::atomic<std::int64_t> sum{0};
  for (int at = 0; at < 4; ++at)
    threads.emplace_back([&] { sum += allowed(limiter, "a", start, 500); });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(sum, 1000);
}

}  // namespace
}  // namespace mp
