// Server and client over loopback: TLS, times, many threads, and ends.
#include "rpc/server.hpp"

#include "net/test_certificate.hpp"
#include "rpc/client.hpp"
#include "rpc/frames.hpp"
#include "rpc/session_fixture.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace mp::rpc {
namespace {

using net::ClientTls;
using net::self_signed;
using net::ServerTls;

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

struct ServerTest : testing::Test {
  void start(ServerOptions options = {}) {
    options.listen = "127.0.0.1:0";
    options.threads = 2;
    server.emplace(std::move(options), stage.function());
    server->start();
  }
  Client& connect(std::optional<ClientTls> tls = std::nullopt) {
    client.emplace(ClientOptions{.address = "127.0.0.1:" + std::to_string(server->port()),
                                 .tls = std::move(tls),
                                 .threads = 2});
    return *client;
  }
  std::shared_ptr<Ear> begin(std::size_t connection = 0, const std::string& method = "/echo") {
    auto ear = std::make_shared<Ear>();
    auto call = std::make_shared<std::shared_ptr<Call>>();
    ear->answer = [weak = std::weak_ptr(ear)](std::string_view) {
      const auto there = weak.lock();
      if (there && there->call) there->call->read();
    };
    const auto begun = client->call(connection, method, {}, ear);
    ear->call = begun;
    begun->read();
    return ear;
  }

  Stage stage;
  std::optional<Server> server;
  std::optional<Client> client;
};

TEST_F(ServerTest, CarriesCallsOfManyThreadsAndConnections) {
  start();
  connect();
  std::vector<std::shared_ptr<Ear>> ears;
  ears.reserve(40);
  for (std::size_t n = 0; n < 40; ++n) ears.push_back(begin(n / 2));
  std::vector<std::thread> writers;
  writers.reserve(4);
  for (int writer = 0; writer < 4; ++writer) {
    writers.emplace_back([&] {
      for (int round = 0; round < 10; ++round) {
        for (const auto& ear : ears) ear->call->write(one("hello"));
      }
    });
  }
  for (auto& writer : writers) writer.join();
  for (const auto& ear : ears) EXPECT_TRUE(ear->hears(40));
  for (const auto& ear : ears) ear->call->finish({});
  for (const auto& ear : ears) EXPECT_EQ(ear->end().code, code::ok);
  for (const auto& theirs : stage.ears()) EXPECT_EQ(theirs->end().code, code::cancelled);
}

TEST_F(ServerTest, ABurstGoesOutAtItsEndOrWhenItIsLarge) {
  start();
  connect();
  std::vector<std::shared_ptr<Ear>> ears;
  ears.reserve(600);
  for (std::size_t n = 0; n < 600; ++n) ears.push_back(begin(n / 60, "/mute"));
  for (const auto& ear : ears) ear->call->write(one("x"));
  while (stage.ears().size() < ears.size()) std::this_thread::yield();
  {
    const auto burst = server->burst();
    for (const auto& theirs : stage.ears()) theirs->call->write(one("y"));
    std::size_t heard = 0;
    while (heard == 0) {
      for (const auto& ear : ears) heard += ear->messages().size();
      std::this_thread::yield();
    }
  }
  for (const auto& ear : ears) EXPECT_TRUE(ear->hears(1));
}

TEST_F(ServerTest, LongMessagesWaitForTheSocket) {
  start();
  connect();
  const auto ear = begin();
  const std::string text(20u << 20, 'x');
  ear->call->write(shared(text));
  ASSERT_TRUE(ear->hears(1));
  EXPECT_TRUE(ear->messages().front() == text);
}

TEST_F(ServerTest, NobodyListens) {
  start();
  connect();
  server->stop(Milliseconds{0});
  const auto ear = begin();
  EXPECT_EQ(ear->end().code, code::unavailable);
}

TEST_F(ServerTest, StopLetsCallsEndAndThenEndsThem) {
  start();
  connect();
  const auto ended = begin(0), held = begin(1);
  ended->call->write(one("a"));
  held->call->write(one("b"));
  ASSERT_TRUE(ended->hears(1) && held->hears(1));
  std::thread stopping{[&] { server->stop(Milliseconds{1'000}); }};
  for (const auto& theirs : stage.ears()) {
    if (theirs->messages().front() == "a") theirs->call->finish({9, "as it wishes"});
  }
  EXPECT_EQ(ended->end().code, 9);
  EXPECT_EQ(held->end().code, code::unavailable);
  stopping.join();
  server->stop(Milliseconds{0});
}

TEST_F(ServerTest, ATakenPortIsAnError) {
  start();
  Server second{{.listen = "127.0.0.1:" + std::to_string(server->port())}, stage.function()};
  EXPECT_THROW(second.start(), std::runtime_error);
  Server nonsense{{.listen = "127.0.0.1"}, stage.function()};
  EXPECT_THROW(nonsense.start(), std::runtime_error);
}

// Machines may have no IPv6, or have it switched off.
bool has_ipv6_loopback() {
  const int probe = ::socket(AF_INET6, SOCK_STREAM, 0);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  const bool bound = ::bind(probe, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  if (probe >= 0) ::close(probe);
  return bound;
}

TEST_F(ServerTest, ListensOnNamesAndIpv6) {
  std::vector<const char*> addresses{"localhost:0"};
  if (has_ipv6_loopback()) addresses.insert(addresses.end(), {"[::1]:0", "[::]:0"});
  for (const char* listen : addresses) {
    Server other{{.listen = listen, .threads = 1}, stage.function()};
    EXPECT_NO_THROW(other.start()) << listen;
    EXPECT_GT(other.port(), 0);
  }
}

TEST_F(ServerTest, WhoDoesNotGreetIsNotWaitedFor) {
  start({.limits = {.greeting = Milliseconds{50}, .tick = Milliseconds{10}}});
  RawClient silent{server->port()}, slow{server->port()};
  slow.say(frames::preface.substr(0, 10));
  EXPECT_TRUE(silent.is_closed());
  EXPECT_TRUE(slow.is_closed());
}

// A socket is told of once, also when bytes and the end come together.
TEST_F(ServerTest, AnEndThatComesWithTheLastBytesIsNoticed) {
  start();
  for (int n = 0; n < 200; ++n) {
    RawClient raw{server->port()};
    raw.say(frames::greeting() + frames::request(1, frames::head("/mute")));
    raw.end();
    ASSERT_TRUE(raw.is_closed());
  }
  for (const auto& ear : stage.ears()) EXPECT_EQ(ear->end().code, code::unavailable);
}

TEST_F(ServerTest, WhoIsSilentIsAskedAndThenLeft) {
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

TEST_F(ServerTest, AClientThatReadsNothingIsCutOff) {
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

TEST_F(ServerTest, AClientThatAsksAndReadsNothingIsCutOff) {
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

TEST_F(ServerTest, AClientThatTakesNothingForLongIsCutOff) {
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

struct TlsTest : ServerTest {
  const ServerTls tls = self_signed();
  ClientTls trusting(const ServerTls& server) const {
    return {.ca_pem = server.certificate_pem, .server_name = "xds.test"};
  }
};

TEST_F(TlsTest, CarriesCalls) {
  start({.tls = tls});
  connect(trusting(tls));
  const auto ear = begin();
  const std::string text(3u << 20, 'x');
  ear->call->write(one("small"));
  ear->call->write(shared(text));
  ASSERT_TRUE(ear->hears(2));
  EXPECT_TRUE(ear->messages().at(1) == text);
}

TEST_F(TlsTest, TheNameAndTheAuthorityAreChecked) {
  start({.tls = tls});
  connect({{.ca_pem = tls.certificate_pem, .server_name = "other.test"}});
  EXPECT_EQ(begin()->end().code, code::unavailable);
  connect({{.ca_pem = tls.certificate_pem, .server_name = "127.0.0.2"}});
  EXPECT_EQ(begin()->end().code, code::unavailable);
  connect(trusting(self_signed()));
  EXPECT_EQ(begin()->end().code, code::unavailable);
  connect({{.ca_pem = tls.certificate_pem, .server_name = "127.0.0.1"}});
  const auto ear = begin();
  ear->call->write(one("x"));
  EXPECT_TRUE(ear->hears(1));
}

TEST_F(TlsTest, AsksForAClientCertificate) {
  ServerTls strict = tls;
  strict.client_ca_pem = tls.certificate_pem;
  start({.tls = strict});
  connect(trusting(tls));
  EXPECT_EQ(begin()->end().code, code::unavailable);
  EXPECT_TRUE(stage.ears().empty());
  ClientTls known = trusting(tls);
  known.certificate_pem = tls.certificate_pem;
  known.key_pem = tls.key_pem;
  connect(known);
  const auto ear = begin();
  ear->call->write(one("x"));
  EXPECT_TRUE(ear->hears(1));
}

TEST_F(TlsTest, RenewsItsCertificate) {
  start({.tls = tls});
  connect(trusting(tls));
  const auto before = begin();
  before->call->write(one("x"));
  ASSERT_TRUE(before->hears(1));
  server->renew({.certificate_pem = "nonsense", .key_pem = Secret{"x"}, .client_ca_pem = {}});
  const auto still = begin(1);
  still->call->write(one("x"));
  ASSERT_TRUE(still->hears(1)) << "what does not parse changes nothing";
  const ServerTls next = self_signed();
  server->renew(next);
  EXPECT_EQ(begin(2)->end().code, code::unavailable);
  before->call->write(one("y"));
  EXPECT_TRUE(before->hears(2));
  before->call->abort();
  still->call->abort();
  EXPECT_EQ(before->end().code, code::cancelled);
  EXPECT_EQ(still->end().code, code::cancelled);
  connect(trusting(next));
  const auto after = begin();
  after->call->write(one("z"));
  EXPECT_TRUE(after->hears(1));
}

TEST_F(TlsTest, WhatDoesNotParseIsAnError) {
  const auto start_with = [&](ServerTls broken) { start({.tls = std::move(broken)}); };
  ServerTls broken = tls;
  broken.certificate_pem = "x";
  EXPECT_THROW(start_with(broken), std::runtime_error);
  broken = tls;
  broken.key_pem = self_signed().key_pem;
  EXPECT_THROW(start_with(broken), std::runtime_error) << "another one's";
  broken = tls;
  broken.client_ca_pem = "x";
  EXPECT_THROW(start_with(broken), std::runtime_error);
  start({.tls = tls});
  EXPECT_THROW(connect({{.ca_pem = "x", .server_name = "xds.test"}}), std::runtime_error);
  EXPECT_THROW(connect({{.ca_pem = tls.certificate_pem, .server_name = ""}}), std::runtime_error);
  ClientTls client = trusting(tls);
  client.certificate_pem = tls.certificate_pem;
  client.key_pem = self_signed().key_pem;
  EXPECT_THROW(connect(client), std::runtime_error) << "another one's";
}

TEST_F(TlsTest, HalfAHandshakeIsNotWaitedFor) {
  start({.tls = tls, .limits = {.greeting = Milliseconds{50}, .tick = Milliseconds{10}}});
  RawClient silent{server->port()}, half{server->port()}, plain{server->port()};
  half.say(std::string("\x16\x03\x01\x02\x00\x01", 6));
  plain.say(frames::greeting());
  EXPECT_TRUE(silent.is_closed());
  EXPECT_TRUE(half.is_closed());
  EXPECT_TRUE(plain.is_closed());
}

}  // namespace
}  // namespace mp::rpc
