#include "access/attempt.hpp"

#include "base/error.hpp"
#include "store/test_database.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace mp {
namespace {

using std::chrono::seconds;

class AttemptsTest : public test::StoreTest {
 protected:
  static Claimant owner() { return {"olga", "192.0.2.1", Familiar::Yes}; }
  static Claimant stranger(int number = 1) {
    return {"olga", "198.51.100." + std::to_string(number), Familiar::No};
  }

  // Seconds to wait; 0: the attempt was let through, and failed.
  int fail(const Claimant& claimant) { return fail(claimant, *made); }
  int fail(const Claimant& claimant, Attempts& attempts) {
    try {
      auto attempt = attempts.begin(claimant);
      report = attempt.fail();
      return 0;
    } catch (const Error& error) {
      EXPECT_EQ(error.code, Code::RateLimit);
      EXPECT_EQ(error.headers.at(0).first, "Retry-After");
      return std::stoi(error.headers.at(0).second);
    }
  }

  void fail_times(int count, const Claimant& claimant) {
    for (int done = 0; done < count; ++done) ASSERT_EQ(fail(claimant), 0) << done;
  }

  void SetUp() override {
    test::StoreTest::SetUp();
    made = std::make_unique<Attempts>(clock, counts_of(*store));
  }
  void TearDown() override {
    made.reset();
    test::StoreTest::TearDown();
  }

  bool is_shared() const { return GetParam() == "postgresql"; }

  std::unique_ptr<Attempts> made;
  std::optional<FailureReport> report;
};
INSTANTIATE_TEST_SUITE_P(Both, AttemptsTest, testing::Values("sqlite", "postgresql"),
                         test::kind_name);

TEST_P(AttemptsTest, FiveFailuresAreFreeThenTheWaitDoubles) {
  fail_times(5, owner());
  EXPECT_EQ(fail(owner()), 1);
  for (const int wait : {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900}) {
    EXPECT_EQ(fail(owner()), wait);
    clock.advance(seconds(wait) - Milliseconds(1));
    EXPECT_EQ(fail(owner()), 1);
    clock.advance(Milliseconds(1));
    EXPECT_EQ(fail(owner()), 0);
  }
}

TEST_P(AttemptsTest, SuccessForgets) {
  fail_times(4, owner());
  made->begin(owner()).succeed();
  fail_times(5, owner());
  EXPECT_EQ(fail(owner()), 1);
  clock.advance(seconds(1));
  made->begin(owner()).succeed();
  fail_times(5, owner());
}

TEST_P(AttemptsTest, WithoutAnOutcomeNothingHasHappened) {
  for (int done = 0; done < 100; ++done) made->begin(owner());
  fail_times(5, owner());
  clock.advance(seconds(1));
  for (int done = 0; done < 100; ++done) made->begin(owner());
  EXPECT_EQ(fail(owner()), 0);
  EXPECT_EQ(fail(owner()), 2);
}

// Many guesses at the same moment are no better than one.
TEST_P(AttemptsTest, AfterAWaitOneIsLetThrough) {
  fail_times(5, owner());
  clock.advance(seconds(1));
  auto first = made->begin(owner());
  EXPECT_THROW(made->begin(owner()), Error);
  first.fail();
  EXPECT_EQ(fail(owner()), 2);
}

TEST_P(AttemptsTest, GuessingElsewhereDoesNotLockOutTheOwner) {
  for (int number = 0; number < 4; ++number) fail_times(5, stranger(number));
  EXPECT_GT(fail(stranger(99)), 0);  // a network that has not failed yet: the account's wait
  EXPECT_EQ(fail(owner()), 0);
  made->begin(owner()).succeed();
  // Other accounts are no concern of it.
  EXPECT_EQ(fail({"ivan", "198.51.100.99", Familiar::No}), 0);
}

TEST_P(AttemptsTest, ANetworkThatTriesManyAccountsWaits) {
  for (int number = 0; number < 50; ++number)
    ASSERT_EQ(fail({"user" + std::to_string(number), "198.51.100.1", Familiar::No}), 0) << number;
  EXPECT_GT(fail({"another", "198.51.100.1", Familiar::No}), 0);
  EXPECT_EQ(fail({"another", "198.51.100.2", Familiar::No}), 0);
  EXPECT_EQ(fail({"olga", "198.51.100.1", Familiar::Yes}), 0);  // somebody at home there
}

TEST_P(AttemptsTest, AreForgottenAfterAnHour) {
  fail_times(5, owner());
  clock.advance(seconds(3601));
  fail_times(5, owner());
  EXPECT_EQ(fail(owner()), 1);
  EXPECT_EQ(made->figures().kept, 1);
}

TEST_P(AttemptsTest, KeepABoundedNumber) {
  Attempts few(clock, counts_of(*store, {.most_kept = 100}));
  for (int number = 0; number < 300; ++number) {
    few.begin({"user", "2001:db8:" + std::to_string(number) + "::/64", Familiar::Yes}).fail();
    clock.advance(Milliseconds(1));
  }
  few.tidy();
  EXPECT_EQ(few.figures().kept, 100);
  clock.advance(seconds(3600));
  few.tidy();
  EXPECT_EQ(few.figures().kept, is_shared() ? 0 : 100);
}

// Managers on one PostgreSQL count together, also over restarts; with SQLite there is one.
TEST_P(AttemptsTest, AreSharedByManagers) {
  fail_times(3, owner());
  Attempts other(clock, counts_of(*store));
  EXPECT_EQ(fail(owner(), other), 0);
  EXPECT_EQ(fail(owner(), other), 0);
  EXPECT_EQ(fail(owner(), other), is_shared() ? 1 : 0);
  EXPECT_EQ(fail(owner()), is_shared() ? 1 : 0);
  if (!is_shared()) return;
  clock.advance(seconds(1));
  auto first = other.begin(owner());
  EXPECT_THROW(made->begin(owner()), Error) << "after a wait one is let through, at one of them";
  first.succeed();
  fail_times(5, owner());
}

TEST_P(AttemptsTest, OfManyAtOnceAfterAWaitOneIsLetThrough) {
  fail_times(5, owner());
  clock.advance(seconds(1));
  std::vector<std::unique_ptr<Attempts>> managers;
  for (int count = 0; count < 4; ++count) {
    managers.push_back(is_shared() ? std::make_unique<Attempts>(clock, counts_of(*store))
                                   : nullptr);
  }
  std::atomic<int> let_through{0};
  std::vector<std::jthread> threads;
  for (const auto& manager : managers) {
    threads.emplace_back([&, &attempts = manager ? *manager : *made] {
      try {
        attempts.begin(owner()).fail();
        ++let_through;
      } catch (const Error& error) {
        EXPECT_EQ(error.code, Code::RateLimit);
      }
    });
  }
  threads.clear();
  EXPECT_EQ(let_through, 1);
}

TEST_P(AttemptsTest, ReportTheFirstFailureAndThoseThatAWaitFollows) {
  for (const bool reported : {true, false, false, false, true}) {
    EXPECT_EQ(fail(owner()), 0);
    EXPECT_EQ(report.has_value(), reported);
  }
  EXPECT_EQ(report->failures, 5);
  EXPECT_EQ(report->unlogged, 3);
}

TEST_P(AttemptsTest, ReportOnlySoManyAMinute) {
  int reports = 0;
  for (int number = 0; number < 1000; ++number) {
    ASSERT_EQ(fail({"user" + std::to_string(number), std::to_string(number), Familiar::No}), 0);
    if (report) ++reports;
  }
  EXPECT_EQ(reports, 30);
  clock.advance(std::chrono::minutes(1));
  EXPECT_EQ(fail({"next", "next", Familiar::No}), 0);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->unlogged, 970);
}

TEST_P(AttemptsTest, AreCounted) {
  fail_times(5, owner());
  EXPECT_EQ(fail(owner()), 1);
  made->begin(stranger()).succeed();
  const auto figures = made->figures();
  EXPECT_EQ(figures.failed, 5);
  EXPECT_EQ(figures.held_back, 1);
  EXPECT_EQ(figures.succeeded, 1);
}

}  // namespace
}  // namespace mp
