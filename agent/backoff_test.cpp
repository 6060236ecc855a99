#include "agent/backoff.hpp"

#include <gtest/gtest.h>

namespace mp::agent {
namespace {

using std::chrono::milliseconds;
constexpr double nearly_one = 0.999999;

TEST(Backoff, DoublesItsUpperEndUntilTheLimit) {
  Backoff backoff(milliseconds(500), milliseconds(30'000));
  std::vector<long> ends(8);
  for (long& end : ends) end = backoff.next(nearly_one).count() + 1;
  EXPECT_EQ(ends, (std::vector<long>{500, 1000, 2000, 4000, 8000, 16000, 30000, 30000}));
}

TEST(Backoff, TakesTheCallersShareOfIt) {
  Backoff backoff(milliseconds(500), milliseconds(30'000));
  EXPECT_EQ(backoff.next(0), milliseconds(0));
  EXPECT_EQ(backoff.next(0.5), milliseconds(500));
  backoff.reset();
  EXPECT_EQ(backoff.next(0.5), milliseconds(250));
}

TEST(Backoff, StaysAtTheLimitHoweverOftenItIsAsked) {
  Backoff backoff(milliseconds(500), milliseconds(30'000));
  for (int each = 0; each < 10'000; ++each) backoff.next(0.5);
  EXPECT_EQ(backoff.next(0.5), milliseconds(15'000));
}

TEST(RandomShare, LiesBetweenZeroAndOneAndVaries) {
  const double first = random_share();
  bool varies = false;
  for (int each = 0; each < 100; ++each) {
    const double share = random_share();
    EXPECT_GE(share, 0);
    EXPECT_LT(share, 1);
    varies = varies || share != first;
  }
  EXPECT_TRUE(varies);
}

}  // namespace
}  // namespace mp::agent
