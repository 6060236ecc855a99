#include "base/execute.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace mp {
namespace {

constexpr std::chrono::seconds patience{30};

// Number 3 may be the folder that is listed.
constexpr auto has_standard_descriptors_alone =
    "for each in /proc/self/fd/*; do [ ${each##*/} -le 3 ] || exit 9; done";

TEST(ExecuteTest, AProgramIsGivenNoSocket) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  const int inherited = ::fcntl(socket, F_DUPFD, 20);
  ASSERT_GE(inherited, 20);
  EXPECT_EQ(execute({"/bin/sh", "-c", has_standard_descriptors_alone}, patience), "");
  ::close(inherited);
  ::close(socket);
}

TEST(ExecuteTest, TellsHowAProgramEnded) {
  EXPECT_EQ(execute({"/bin/sh", "-c", "exit 0"}, patience), "");
  EXPECT_EQ(execute({"/bin/sh", "-c", "exit 7"}, patience), "/bin/sh: ended with 7");
  EXPECT_EQ(execute({"/bin/sh", "-c", "kill -9 $$"}, patience), "/bin/sh: ended by signal 9");
  EXPECT_EQ(execute({"/none"}, patience), "/none: No such file or directory");
}

}  // namespace
}  // namespace mp
