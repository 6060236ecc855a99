// Tasks have their turns, whatever the others do.
#include "app/background.hpp"

#include <gtest/gtest.h>

#include <future>

namespace mp {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds patience{30};

TEST(Background, AFirstTurnComesBeforeTheInterval) {
  std::promise<void> done;
  const Background background({{"often", 1h, [] {}}, {"now", 1h, [&] { done.set_value(); }, 0ms}});
  EXPECT_EQ(done.get_future().wait_for(patience), std::future_status::ready);
}

TEST(Background, ATaskThatFailsHasItsTurnsAllTheSame) {
  std::promise<void> third;
  int turns = 0;
  const Background background({{"failing", 1ms, [&] {
                                  if (++turns == 3) third.set_value();
                                  throw std::runtime_error("fails");
                                }}});
  EXPECT_EQ(third.get_future().wait_for(patience), std::future_status::ready);
}

}  // namespace
}  // namespace mp
