#include "access/hash_gate.hpp"

#include "base/error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace mp {
namespace {

using namespace std::chrono_literals;
using testing::StartsWith;

TEST(HashGate, TellsTheRightPasswordFromOthers) {
  HashGate gate;
  const std::string hash = gate.hash(Secret("sunny-side-up-eggs"));
  EXPECT_THAT(hash, StartsWith("$argon2id$v=19$m=19456,t=2,p=1$"));
  EXPECT_TRUE(gate.verify(hash, Secret("sunny-side-up-eggs")));
  EXPECT_FALSE(gate.verify(hash, Secret("sunny-side-up-eggS")));
  EXPECT_FALSE(gate.verify(hash, Secret("")));
  EXPECT_NE(gate.hash(Secret("sunny-side-up-eggs")), hash) << "each has its own salt";
}

TEST(HashGate, NobodyHasNoPassword) {
  HashGate gate;
  EXPECT_FALSE(gate.verify("", Secret("")));
  EXPECT_FALSE(gate.verify("", Secret("sunny-side-up-eggs")));
  EXPECT_FALSE(gate.verify("not a hash", Secret("sunny-side-up-eggs")));
}

TEST(HashGate, KnowsOldCosts) {
  HashGate gate;
  EXPECT_FALSE(HashGate::needs_rehash(gate.hash(Secret("sunny-side-up-eggs"))));
  EXPECT_TRUE(
      HashGate::needs_rehash("$argon2id$v=19$m=8192,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$"
                             "jSGYq3ZKRMJ2dSbVjyyxHkyMvBVJXqkFVh3Z4BWMWzk"));
}

TEST(HashGate, RefusesWhatItHasNoPlaceFor) {
  HashGate gate({.at_once = 1, .most_waiting = 1});
  std::atomic<int> served = 0;
  std::atomic<int> refused = 0;
  std::vector<std::thread> threads;
  for (int at = 0; at < 12; ++at) {
    threads.emplace_back([&] {
      for (int round = 0; round < 4; ++round) {
        try {
          gate.verify("", Secret("sunny-side-up-eggs"));
          ++served;
        } catch (const Error& error) {
          EXPECT_EQ(error.code, Code::Unavailable);
          ASSERT_FALSE(error.headers.empty());
          EXPECT_EQ(error.headers.front().first, "Retry-After");
          ++refused;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(served + refused, 48);
  EXPECT_GT(served, 0);
  EXPECT_GT(refused, 0);
  EXPECT_FALSE(gate.verify("", Secret("sunny-side-up-eggs"))) << "places are given back";
}

// Threads that take only what is left get nothing here.
TEST(HashGate, ComesForwardWhileOthersTakeAllCores) {
  HashGate gate({.at_once = 1});
  const std::string hash = gate.hash(Secret("sunny-side-up-eggs"));
  std::atomic<bool> stop = false;
  std::vector<std::jthread> others;
  for (unsigned at = 0; at < 2 * std::max(1U, std::thread::hardware_concurrency()); ++at)
    others.emplace_back([&] {
      while (!stop) {
      }
    });
  std::vector<std::jthread> users;
  const auto began = std::chrono::steady_clock::now();
  for (int at = 0; at < 3; ++at)
    users.emplace_back([&] { EXPECT_TRUE(gate.verify(hash, Secret("sunny-side-up-eggs"))); });
  users.clear();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 20s);
  stop = true;
}

// Whatever is done twice has one result.
TEST(HashGate, HelpsAtOnceWithoutPatience) {
  HashGate gate({.at_once = 2, .patience = 0ms});
  const std::string hash = gate.hash(Secret("sunny-side-up-eggs"));
  std::vector<std::jthread> users;
  for (int at = 0; at < 4; ++at) {
    users.emplace_back([&, at] {
      const Secret password(at % 2 == 0 ? "sunny-side-up-eggs" : "sunny-side-up-eggS");
      for (int round = 0; round < 5; ++round) EXPECT_EQ(gate.verify(hash, password), at % 2 == 0);
    });
  }
}

}  // namespace
}  // namespace mp
