#include "access/attempt.hpp"

#include "base/error.hpp"

#include <gtest/gtest.h>

namespace mp {
namespace {

using std::chrono::seconds;

class AttemptsTest : public testing::Test {
 protected:
  static Claimant owner() { return {"olga", "192.0.2.1", Familiar::Yes}; }
  static Claimant stranger(int number = 1) {
    return {"olga", "198.51.100." + std::to_string(number), Familiar::No};
  }

  // Seconds to wait; 0: the attempt was let through, and failed.
  int fail(const Claimant& claimant) {
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

  ManualClock clock{*parse_time("2026-03-01T12:00:00Z")};
  Attempts attempts{clock};
  std::optional<FailureReport> report;
};

TEST_F(AttemptsTest, FiveFailuresAreFreeThenTheWaitDoubles) {
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

TEST_F(AttemptsTest, SuccessForgets) {
  fail_times(4, owner());
  attempts.begin(owner()).succeed();
  fail_times(5, owner());
  EXPECT_EQ(fail(owner()), 1);
  clock.advance(seconds(1));
  attempts.begin(owner()).succeed();
  fail_times(5, owner());
}

TEST_F(AttemptsTest, WithoutAnOutcomeNothingHasHappened) {
  for (int done = 0; done < 100; ++done) attempts.begin(owner());
  fail_times(5, owner());
  clock.advance(seconds(1));
  for (int done = 0; done < 100; ++done) attempts.begin(owner());
  EXPECT_EQ(fail(owner()), 0);
  EXPECT_EQ(fail(owner()), 2);
}

// Many guesses at the same moment are no better than one.
TEST_F(AttemptsTest, AfterAWaitOneIsLetThrough) {
  fail_times(5, owner());
  clock.advance(seconds(1));
  auto first = attempts.begin(owner());
  EXPECT_THROW(attempts.begin(owner()), Error);
  first.fail();
  EXPECT_EQ(fail(owner()), 2);
}

TEST_F(AttemptsTest, GuessingElsewhereDoesNotLockOutTheOwner) {
  for (int number = 0; number < 4; ++number) fail_times(5, stranger(number));
  EXPECT_GT(fail(stranger(99)), 0);  // a network that has not failed yet: the account's wait
  EXPECT_EQ(fail(owner()), 0);
  attempts.begin(owner()).succeed();
  // Other accounts are no concern of it.
  EXPECT_EQ(fail({"ivan", "198.51.100.99", Familiar::No}), 0);
}

TEST_F(AttemptsTest, ANetworkThatTriesManyAccountsWaits) {
  for (int number = 0; number < 50; ++number)
    ASSERT_EQ(fail({"user" + std::to_string(number), "198.51.100.1", Familiar::No}), 0) << number;
  EXPECT_GT(fail({"another", "198.51.100.1", Familiar::No}), 0);
  EXPECT_EQ(fail({"another", "198.51.100.2", Familiar::No}), 0);
  EXPECT_EQ(fail({"olga", "198.51.100.1", Familiar::Yes}), 0);  // somebody at home there
}

TEST_F(AttemptsTest, AreForgottenAfterAnHour) {
  fail_times(5, owner());
  clock.advance(seconds(3601));
  fail_times(5, owner());
  EXPECT_EQ(fail(owner()), 1);
  EXPECT_EQ(attempts.figures().kept, 1);
}

TEST_F(AttemptsTest, KeepABoundedNumber) {
  Attempts few(clock, {.most_kept = 100});
  for (int number = 0; number < 1000; ++number)
    few.begin({"user", "2001:db8:" + std::to_string(number) + "::/64", Familiar::Yes}).fail();
  EXPECT_EQ(few.figures().kept, 100);
}

TEST_F(AttemptsTest, ReportTheFirstFailureAndThoseThatAWaitFollows) {
  for (const bool reported : {true, false, false, false, true}) {
    EXPECT_EQ(fail(owner()), 0);
    EXPECT_EQ(report.has_value(), reported);
  }
  EXPECT_EQ(report->failures, 5);
  EXPECT_EQ(report->unlogged, 3);
}

TEST_F(AttemptsTest, ReportOnlySoManyAMinute) {
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

TEST_F(AttemptsTest, AreCounted) {
  fail_times(5, owner());
  EXPECT_EQ(fail(owner()), 1);
  attempts.begin(stranger()).succeed();
  const auto figures = attempts.figures();
  EXPECT_EQ(figures.failed, 5);
  EXPECT_EQ(figures.held_back, 1);
  EXPECT_EQ(figures.succeeded, 1);
}

}  // namespace
}  // namespace mp
