// How a server is rid of clients: those that say nothing, read nothing, leave or are lost.
#include "net/test_certificate.hpp"
#include "rpc/frames.hpp"
#include "rpc/server_fixture.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mp::rpc {
namespace {

// A client that sends exactly the given bytes; waits at most 10 s for anything.
class RawClient {
 public:
  explicit RawClient(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    const timeval patience{10, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  ~RawClient() { ::close(socket_); }

  // False when the server has closed the connection.
  bool say(std::string_view bytes) {
    return ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  // Whether the server closes the connection, whatever it says first.
  bool is_closed() {
    char bytes[4'096];
    for (;;) {
      const auto count = ::recv(socket_, bytes, sizeof bytes, 0);
      if (count == 0 || (count < 0 && errno == ECONNRESET)) return true;
      if (count < 0) return false;
      heard_.append(bytes, static_cast<std::size_t>(count));
    }
  }
  // Reads until that was heard.
  bool hears(std::string_view text) {
    char bytes[4'096];
    while (heard_.find(text) == heard_.npos) {
      const auto count = ::recv(socket_, bytes, sizeof bytes, 0);
      if (count <= 0) return false;
      heard_.append(bytes, static_cast<std::size_t>(count));
    }
    return true;
  }
  void forget() { heard_.clear(); }
  void end() { ::shutdown(socket_, SHUT_WR); }

 private:
  int socket_;
  std::string heard_;
};

using ServerEndsTest = ServerTest;

TEST_F(ServerEndsTest, WhoDoesNotGreetIsNotWaitedFor) {
  start({.limits = {.greeting = Milliseconds{50}, .tick = Milliseconds{10}}});
  RawClient silent{server->port()}, slow{server->port()};
  slow.say(frames::preface.substr(0, 10));
  EXPECT_TRUE(silent.is_closed());
  EXPECT_TRUE(slow.is_closed());
}

TEST_F(ServerEndsTest, HalfAHandshakeIsNotWaitedFor) {
  start({.tls = net::self_signed(),
         .limits = {.greeting = Milliseconds{50}, .tick = Milliseconds{10}}});
  RawClient silent{server->port()}, half{server->port()}, plain{server->port()};
  half.say(std::string("\x16\x03\x01\x02\x00\x01", 6));
  plain.say(frames::greeting());
  EXPECT_TRUE(silent.is_closed());
  EXPECT_TRUE(half.is_closed());
  EXPECT_TRUE(plain.is_closed());
}

// A socket is told of once, also when bytes and the end come together.
TEST_F(ServerEndsTest, AnEndThatComesWithTheLastBytesIsNoticed) {
  start();
  for (int n = 0; n < 200; ++n) {
    RawClient raw{server->port()};
    raw.say(frames::greeting() + frames::request(1, frames::head("/mute")));
    raw.end();
    ASSERT_TRUE(raw.is_closed());
  }
  for (const auto& ear : stage.ears()) EXPECT_EQ(ear->end().code, code::unavailable);
}

// A program that inherits every descriptor that is not closed on its start, for as long as it
// lives.
class Heir {
 public:
  Heir() {
    char name[] = "sleep", seconds[] = "60";
    char* arguments[] = {name, seconds, nullptr};
    EXPECT_EQ(::posix_spawnp(&process_, name, nullptr, nullptr, arguments, environ), 0);
  }
  ~Heir() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }

 private:
  pid_t process_ = 0;
};

TEST_F(ServerEndsTest, AConnectionThatHasEndedIsNotToldOfWhatStillComes) {
  start();
  RawClient raw{server->port()};
  raw.say(frames::greeting() + frames::request(1, frames::head("/mute")));
  while (stage.ears().empty()) std::this_thread::yield();
  const Heir heir;
  raw.say(frames::frame(frames::Data, 0, 0, "of no call"));
  EXPECT_EQ(stage.ears().at(0)->end().code, code::unavailable);
  EXPECT_TRUE(raw.is_closed());
  connect();
  for (std::size_t n = 0; n < 20; ++n) {
    raw.say(frames::frame(frames::Data, 0, 0, "of no call"));
    const auto ear = begin(n);
    ear->call->write(one("x"));
    EXPECT_TRUE(ear->hears(1));
  }
}

TEST_F(ServerEndsTest, WhoIsSilentIsAskedAndThenLeft) {
  start({.limits = {
             .silence = Milliseconds{50}, .answer = Milliseconds{100}, .tick = Milliseconds{10}}});
  RawClient raw{server->port()};
  raw.say(frames::greeting() + frames::request(1, frames::head("/mute")));
  const std::string question = frames::frame(frames::Ping, 0, 0, std::string(8, '\0'));
  for (int n = 0; n < 3; ++n) {
    EXPECT_TRUE(raw.hears(question));
    raw.forget();
    raw.say(frames::frame(frames::Ping, frames::acknowledges, 0, std::string(8, '\0')));
  }
  EXPECT_EQ(stage.ears().at(0)->code(), -1);
  EXPECT_TRUE(raw.is_closed());
  EXPECT_EQ(stage.ears().at(0)->end().code, code::unavailable);
}

TEST_F(ServerEndsTest, AConnectionWithoutACallIsEnded) {
  start({.limits = {.unused = Milliseconds{50}, .tick = Milliseconds{10}}});
  connect();
  const auto heard = begin();
  RawClient raw{server->port()};
  raw.say(frames::greeting());
  EXPECT_TRUE(raw.is_closed());
  heard->call->write(one("x"));
  EXPECT_TRUE(heard->hears(1));
  EXPECT_EQ(heard->code(), -1);
}

TEST_F(ServerEndsTest, ACallThatSaysNothingIsEnded) {
  start({.limits = {.opening = Milliseconds{50}, .tick = Milliseconds{10}}});
  connect();
  const auto heard = begin();
  heard->call->write(one("x"));
  ASSERT_TRUE(heard->hears(1));
  const auto silent = begin();
  EXPECT_EQ(silent->end().code, code::deadline_exceeded);
  EXPECT_EQ(silent->end().message, "no message came");
  heard->call->write(one("y"));
  EXPECT_TRUE(heard->hears(2));
}

TEST_F(ServerEndsTest, AMessageThatDoesNotComeWholeIsNotKept) {
  start({.limits = {.opening = Milliseconds{50}, .tick = Milliseconds{10}}});
  RawClient raw{server->port()};
  raw.say(frames::greeting() + frames::request(1, frames::head("/echo")) +
          frames::frame(frames::Data, 0, 1, prefix_of(2) + "x"));
  while (stage.ears().empty()) std::this_thread::yield();
  EXPECT_EQ(stage.ears().at(0)->end().code, code::cancelled);
}

TEST_F(ServerEndsTest, AClientThatReadsNothingIsCutOff) {
  start();
  RawClient raw{server->port()};
  // A window of the largest size, for the connection too: only the socket holds anything back.
  raw.say(
      std::string(frames::preface) +
      frames::frame(frames::Settings, 0, 0, frames::number(4, 2) + frames::number(0x7fffffff, 4)) +
      frames::frame(frames::WindowUpdate, 0, 0, frames::number(0x7fff0000, 4)) +
      frames::request(1, frames::head("/echo")) +
      frames::frame(frames::Data, 0, 1, prefix_of(1) + "x"));
  while (stage.ears().empty() || stage.ears().at(0)->messages().empty()) std::this_thread::yield();
  const auto theirs = stage.ears().at(0);
  theirs->call->write(shared(std::string(64u << 20, 'y')));
  ASSERT_TRUE(raw.hears("yyy"));  // and reads no more
  theirs->call->finish({code::unavailable, "bye"});
  theirs->call->abort();
  EXPECT_EQ(theirs->end().code, code::cancelled);
}

TEST_F(ServerEndsTest, AClientThatAsksAndReadsNothingIsCutOff) {
  start();
  RawClient raw{server->port()};
  raw.say(frames::greeting());
  const std::string head = frames::block(frames::head("/mute"));
  const auto begins = [&](std::uint32_t stream) {
    return raw.say(frames::frame(frames::Headers, frames::end_headers, stream, head));
  };
  std::uint32_t stream = 1;
  while (stream < 4'000'000 && begins(stream)) stream += 2;
  EXPECT_LT(stream, 4'000'000U);
  for (const auto& ear : stage.ears()) EXPECT_EQ(ear->end().code, code::unavailable);
}

TEST_F(ServerEndsTest, AClientThatTakesNothingForLongIsCutOff) {
  start({.limits = {.stuck = Milliseconds{50}, .tick = Milliseconds{10}}});
  RawClient raw{server->port()};
  raw.say(
      std::string(frames::preface) +
      frames::frame(frames::Settings, 0, 0, frames::number(4, 2) + frames::number(0x7fffffff, 4)) +
      frames::frame(frames::WindowUpdate, 0, 0, frames::number(0x7fff0000, 4)) +
      frames::request(1, frames::head("/mute")));
  while (stage.ears().empty()) std::this_thread::yield();
  const auto theirs = stage.ears().at(0);
  theirs->call->write(shared(std::string(64u << 20, 'y')));
  EXPECT_EQ(theirs->end().code, code::unavailable);
}

}  // namespace
}  // namespace mp::rpc
