#include "store/call_watch.hpp"

#include <gtest/gtest.h>

#include <array>
#include <thread>

#include <sys/socket.h>
#include <unistd.h>

namespace mp::test {
namespace {

using namespace std::chrono_literals;

class CallWatchTest : public testing::Test {
 protected:
  CallWatchTest() { ::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()); }
  ~CallWatchTest() override {
    ::close(ends[0]);
    ::close(ends[1]);
  }

  std::array<int, 2> ends{};
  char byte = 0;
};

TEST_F(CallWatchTest, ACallThatNobodyAnswersEnds) {
  CallWatch watch(50ms);
  const CallWatch::Call call(watch, ends[0]);
  EXPECT_EQ(::read(ends[0], &byte, 1), 0) << "as if the other side had closed";
}

TEST_F(CallWatchTest, ACallThatIsOverIsLeftAlone) {
  CallWatch watch(20ms);
  {
    const CallWatch::Call call(watch, ends[0]);
  }
  std::array<int, 2> others{};
  ::socketpair(AF_UNIX, SOCK_STREAM, 0, others.data());
  {
    const CallWatch::Call late(watch, others[0]);
    EXPECT_EQ(::read(others[0], &byte, 1), 0);  // by now the first one's time is over too
  }
  ::close(others[0]);
  ::close(others[1]);
  EXPECT_EQ(::write(ends[0], "x", 1), 1);
  EXPECT_EQ(::read(ends[1], &byte, 1), 1);
}

TEST_F(CallWatchTest, EndsWhileCallsAreUnderWay) {
  for (int round = 0; round < 20; ++round) {
    CallWatch watch(10s);
    std::thread caller([&] {
      for (int n = 0; n < 100; ++n) const CallWatch::Call call(watch, ends[0]);
    });
    caller.join();
  }
}

}  // namespace
}  // namespace mp::test
