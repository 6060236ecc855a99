#include "base/scheduling.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <optional>

namespace mp {
namespace {

// Whether a signal ended it.
bool is_woken(timespec sleep) { return nanosleep(&sleep, nullptr) != 0 && errno == EINTR; }

TEST(Scheduling, LooksAtTheTurnsOfAThreadWhileItIsAskedTo) {
  std::optional<scheduling::ShortTurns> turns(std::in_place);
  EXPECT_TRUE(is_woken({.tv_sec = 60, .tv_nsec = 0}));
  EXPECT_TRUE(is_woken({.tv_sec = 60, .tv_nsec = 0}));
  turns.reset();
  (void)is_woken({.tv_sec = 0, .tv_nsec = 1});  // what was under way
  EXPECT_FALSE(is_woken({.tv_sec = 0, .tv_nsec = 20'000'000}));
}

}  // namespace
}  // namespace mp
