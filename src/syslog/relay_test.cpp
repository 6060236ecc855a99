#include "syslog/relay.hpp"
#include "syslog/backlog.hpp"

#include <gmock/gmock.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>

#include <thread>

namespace mp::syslog {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

template <typename Condition>
bool eventually(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

TEST(Backlog, IsBoundedAndKeepsTheFirst) {
  Backlog backlog(10);
  EXPECT_EQ(backlog.put({"aaaa", "bbbb", "cccc", "d"}), 2u);
  EXPECT_EQ(backlog.bytes(), 8u);
  EXPECT_EQ(backlog.put({"ee"}), 1u);
  EXPECT_THAT(backlog.take(100, 2), ElementsAre("aaaa", "bbbb"));
  backlog.give_back({"bbbb"});
  EXPECT_THAT(backlog.take(5, 100), ElementsAre("bbbb"));
  EXPECT_THAT(backlog.take(1, 100), ElementsAre("ee")) << "one, however long";
  EXPECT_THAT(backlog.take(1, 100), IsEmpty());
  backlog.put({"f"});
  EXPECT_EQ(backlog.clear(), 1u);
  EXPECT_TRUE(backlog.empty());
}

Record record(const std::string& text) {
  return {.host = "edge", .process = "p", .kind = "netflow", .data = {{"n", text}}, .text = text};
}

// A server that takes one connection at a time and reads what is framed by its length.
class StreamServer {
 public:
  explicit StreamServer(unsigned short port = 0)
      : acceptor_(context_, tcp::endpoint(asio::ip::address_v4::loopback(), port)) {}
  unsigned short port() const { return acceptor_.local_endpoint().port(); }
  void accept() { peer_.emplace(acceptor_.accept()); }
  std::string read() {
    std::size_t length = 0;
    for (char digit = next(); digit != ' '; digit = next())
      length = length * 10 + static_cast<std::size_t>(digit - '0');
    std::string text(length, ' ');
    asio::read(*peer_, asio::buffer(text));
    return text;
  }
  void hang_up() { peer_.reset(); }

 private:
  char next() {
    char letter = 0;
    asio::read(*peer_, asio::buffer(&letter, 1));
    return letter;
  }
  asio::io_context context_;
  tcp::acceptor acceptor_;
  std::optional<tcp::socket> peer_;
};

struct RelayTest : testing::Test {
  void direct(const std::string& endpoint) { relay.direct({1, "main", endpoint}); }
  void put(const std::string& text) { relay.put(1, {record(text)}); }
  Standing standing() const { return *relay.standing(1); }
  // Waits for a server that is gone.
  void put_for_nobody(const std::string& text) {
    std::string gone;
    {
      const StreamServer server;
      gone = tcp_endpoint(server);
    }
    direct(gone);
    put(text);
    EXPECT_TRUE(eventually([&] { return !standing().fault.empty(); }));
  }
  std::string tcp_endpoint(const StreamServer& server) const {
    return "tcp://127.0.0.1:" + std::to_string(server.port());
  }

  Relay relay{{.buffer = 1000, .first_pause = Milliseconds{10}, .longest_pause = Milliseconds{50}}};
};

TEST_F(RelayTest, SendsOverTcpWithLengths) {
  StreamServer server;
  direct(tcp_endpoint(server));
  put("one");
  server.accept();
  EXPECT_THAT(server.read(), HasSubstr("edge marchproxy p netflow [netflow@32473 n=\"one\"] one"));
  put("two");
  EXPECT_THAT(server.read(), HasSubstr("] two"));
  EXPECT_TRUE(eventually([&] { return standing().sent == 2; }));
  EXPECT_EQ(standing().fault, "");
}

TEST_F(RelayTest, AServerThatIsAwayGetsWhatTheBufferHolds) {
  std::string endpoint;
  unsigned short port = 0;
  {
    const StreamServer gone;
    endpoint = tcp_endpoint(gone);
    port = gone.port();
  }
  direct(endpoint);
  for (int at = 0; at < 50; ++at) put("record " + std::to_string(at));
  EXPECT_TRUE(eventually([&] { return !standing().fault.empty(); }));
  const Standing away = standing();
  EXPECT_THAT(away.fault, HasSubstr("refused"));
  EXPECT_GT(away.dropped_full, 0u);
  EXPECT_LE(away.waiting, 1000u);
  const std::uint64_t kept = 50 - away.dropped_full;
  StreamServer server(port);
  server.accept();
  for (std::uint64_t at = 0; at < kept; ++at)
    EXPECT_THAT(server.read(), HasSubstr("] record " + std::to_string(at)));
  EXPECT_TRUE(eventually([&] { return standing().sent == kept && standing().fault.empty(); }));
}

TEST_F(RelayTest, ReconnectsWhenTheServerHangsUp) {
  StreamServer server;
  direct(tcp_endpoint(server));
  put("one");
  server.accept();
  server.read();
  server.hang_up();
  // The end of a connection is noticed by reading, a moment later; records until then are lost.
  std::thread writer([&] {
    EXPECT_TRUE(eventually([&] {
      put("more");
      return standing().sent > 3;
    }));
  });
  server.accept();
  EXPECT_THAT(server.read(), HasSubstr("] more"));
  writer.join();
}

TEST_F(RelayTest, FollowsAnotherEndpointAtOnce) {
  StreamServer first, second;
  direct(tcp_endpoint(first));
  put("one");
  first.accept();
  first.read();
  EXPECT_TRUE(eventually([&] { return standing().sent == 1; }));  // else it is sent once more
  direct(tcp_endpoint(second));
  put("two");
  second.accept();
  EXPECT_THAT(second.read(), HasSubstr("] two"));
}

TEST_F(RelayTest, WhatWaitsGoesToTheNewEndpoint) {
  put_for_nobody("one");
  StreamServer server;
  direct(tcp_endpoint(server));
  server.accept();
  EXPECT_THAT(server.read(), HasSubstr("] one"));
}

TEST_F(RelayTest, SwitchedOffItDropsWhatWaits) {
  put_for_nobody("one");
  direct("");
  EXPECT_TRUE(eventually([&] { return standing().dropped_off == 1 && standing().waiting == 0; }));
  EXPECT_EQ(standing().fault, "");
  put("two");
  EXPECT_EQ(standing().waiting, 0u);
}

TEST_F(RelayTest, DatagramsAreSentAndRefusalsSeen) {
  asio::io_context context;
  std::optional<udp::socket> server(std::in_place, context,
                                    udp::endpoint(asio::ip::address_v4::loopback(), 0));
  const udp::endpoint there = server->local_endpoint();
  const auto read = [&] {
    std::string text(4096, ' ');
    text.resize(server->receive(asio::buffer(text)));
    return text;
  };
  direct("127.0.0.1:" + std::to_string(there.port()));
  put("one");
  EXPECT_THAT(read(), HasSubstr("] one"));
  EXPECT_TRUE(eventually([&] { return standing().sent == 1; }));
  server.reset();
  put("two");
  EXPECT_TRUE(eventually([&] { return !standing().fault.empty(); }));
  EXPECT_THAT(standing().fault, HasSubstr("refused"));
  EXPECT_GT(standing().dropped_refused, 0u);
  server.emplace(context, there);
  EXPECT_TRUE(eventually([&] {
    put("three");
    return standing().fault.empty();
  }));
  EXPECT_THAT(read(), HasSubstr("] three"));
}

TEST_F(RelayTest, ANameThatHangsHoldsNobodyElse) {
  StreamServer server;
  relay.direct({2, "other", "tcp://name.invalid:514"});
  relay.put(2, {record("lost")});
  direct(tcp_endpoint(server));
  put("one");
  server.accept();
  EXPECT_THAT(server.read(), HasSubstr("] one"));
  EXPECT_TRUE(eventually([&] { return !relay.standing(2)->fault.empty(); }));
}

TEST_F(RelayTest, StoppingSendsWhatWaits) {
  StreamServer server;
  direct(tcp_endpoint(server));
  for (const char* text : {"one", "two"}) put(text);
  relay.stop();
  server.accept();
  EXPECT_THAT(server.read(), HasSubstr("] one"));
  EXPECT_THAT(server.read(), HasSubstr("] two"));
}

TEST(Relay, AuthoritiesAreReadAtTheStart) {
  EXPECT_THROW(Relay({.authorities = "/no/such/file"}), std::runtime_error);
}

}  // namespace
}  // namespace mp::syslog
