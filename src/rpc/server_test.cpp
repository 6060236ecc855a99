// Server and client over loopback: TLS, many threads, and stops.
#include "net/test_certificate.hpp"
#include "rpc/server_fixture.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace mp::rpc {
namespace {

using net::ClientTls;
using net::self_signed;
using net::ServerTls;

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
  ear->call->write(one("first"));
  ASSERT_TRUE(ear->hears(1));
  ear->call->write(shared(text));
  ASSERT_TRUE(ear->hears(2));
  EXPECT_TRUE(ear->messages().back() == text);
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

}  // namespace
}  // namespace mp::rpc
