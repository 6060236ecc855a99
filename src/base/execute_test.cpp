#include "base/execute.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace mp {
namespace {

constexpr std::chrono::seconds patience{30};
const std::atomic<bool> going_on{false};

// Number 3 may be the folder that is listed.
constexpr auto has_standard_descriptors_alone =
    "for each in /proc/self/fd/*; do [ ${each##*/} -le 3 ] || exit 9; done";

TEST(ExecuteTest, AProgramIsGivenNoSocket) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  const int inherited = ::fcntl(socket, F_DUPFD, 20);
  ASSERT_GE(inherited, 20);
  EXPECT_EQ(execute({"/bin/sh", "-c", has_standard_descriptors_alone}, patience, going_on), "");
  ::close(inherited);
  ::close(socket);
}

TEST(ExecuteTest, TellsHowAProgramEnded) {
  EXPECT_EQ(execute({"/bin/sh", "-c", "exit 0"}, patience, going_on), "");
  EXPECT_EQ(execute({"/bin/sh", "-c", "exit 7"}, patience, going_on), "/bin/sh: ended with 7");
  EXPECT_EQ(execute({"/bin/sh", "-c", "kill -9 $$"}, patience, going_on),
            "/bin/sh: ended by signal 9");
  EXPECT_EQ(execute({"/none"}, patience, going_on), "/none: No such file or directory");
}

TEST(ExecuteTest, AProgramThatTakesTooLongIsKilled) {
  const std::vector<std::string> slow{"/bin/sh", "-c", "exec sleep 60"};
  EXPECT_EQ(execute(slow, std::chrono::milliseconds(10), going_on), "/bin/sh: took too long");
  std::atomic<bool> stopping = false;
  const auto began = std::chrono::steady_clock::now();
  std::jthread later([&] { stopping = true; });
  EXPECT_EQ(execute(slow, patience, stopping), "/bin/sh: took too long");
  EXPECT_LT(std::chrono::steady_clock::now() - began, patience / 2);
}

}  // namespace
}  // namespace mp
