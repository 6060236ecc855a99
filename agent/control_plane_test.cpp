#include "agent/control_plane.hpp"

#include <gtest/gtest.h>

namespace mp::agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

milliseconds delay(HttpReply reply, double share) {
  Backoff backoff(milliseconds(500), milliseconds(30'000));
  return retry_delay(RequestFailed("", reply), backoff, share);
}

TEST(RetryDelay, IsAnExponentialStepWhenTheManagerIsAway) {
  EXPECT_EQ(delay({.status = 0}, 0.5), milliseconds(250));
  EXPECT_EQ(delay({.status = 503}, 0.5), milliseconds(250));
  EXPECT_EQ(delay({.status = 429}, 0.5), milliseconds(250));
}

TEST(RetryDelay, IsNeverShorterThanRetryAfterAsks) {
  EXPECT_EQ(delay({.status = 429, .retry_after = seconds(7)}, 0), seconds(7));
  EXPECT_EQ(delay({.status = 503, .retry_after = seconds(7)}, 0.5), milliseconds(7500));
  EXPECT_EQ(delay({.status = 503, .retry_after = seconds(90'000)}, 0), seconds(3600));
}

TEST(RetryDelay, IsLongWhenOnlyAnOperatorHelps) {
  for (const long status : {400L, 401L, 402L, 403L, 404L}) {
    EXPECT_EQ(delay({.status = status}, 0), seconds(15)) << status;
    EXPECT_EQ(delay({.status = status}, 0.5), milliseconds(22'500)) << status;
  }
}

}  // namespace
}  // namespace mp::agent
