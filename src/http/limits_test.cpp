// The server's limits, deadlines and end.
#include "http/server.hpp"

#include "http/test_client.hpp"

#include <chrono>
#include <future>
#include <optional>

#include <sys/resource.h>

namespace mp::http {
namespace {

using std::chrono::steady_clock;

constexpr Milliseconds brief{60};

ServerOptions with_envelope() {
  ServerOptions options;
  options.refuse = envelope;
  return options;
}

// Asks on new connections until the server has room for one.
bool gets_through(std::uint16_t port) {
  const auto deadline = steady_clock::now() + patience;
  while (steady_clock::now() < deadline) {
    if (Client(port).ask(get("/")).status == 200) return true;
  }
  return false;
}

struct Case {
  const char* what;
  std::string bytes;
  int status;
};

TEST(Limits, refuse_what_is_not_http_in_the_envelope_and_close) {
  TestServer test(with_envelope());
  test.handler.action = [](Request, Answer answer) { answer({}); };
  const std::string host = "Host: test\r\n";
  for (const auto& [what, bytes, status] : {
           Case{"noise", "\x16\x03\x01\x02\r\n\r\n", 400},
           Case{"no version", "GET /\r\n\r\n", 400},
           Case{"another version", "PRI * HTTP/2.0\r\n\r\n", 400},
           Case{"no host", "GET / HTTP/1.1\r\n\r\n", 400},
           Case{"two hosts", "GET / HTTP/1.1\r\n" + host + host + "\r\n", 400},
           Case{"a host that is no UTF-8", "GET / HTTP/1.1\r\nHost: a\xff\r\n\r\n", 400},
           Case{"a host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
           Case{"space before the colon", "GET / HTTP/1.1\r\nHost : test\r\n\r\n", 400},
           Case{"a bare line feed", "GET / HTTP/1.1\nHost: test\n\n", 400},
           Case{"a NUL in a field", get("/", {"X: a\0b\r\n", 8}), 400},
           Case{"a length that is none",
                "POST / HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n", 400},
           Case{"two lengths", post("ab", "Content-Length: 1\r\n"), 400},
           Case{"length and coding", post("ab", "Transfer-Encoding: chunked\r\n"), 400},
           Case{"an unknown coding", get("/", "Transfer-Encoding: gzip\r\n"), 501},
           Case{"two codings", get("/", "Transfer-Encoding: gzip, chunked\r\n"), 501},
           Case{"a coding of the old version",
                "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
           Case{"a chunk without length", get("/", "Transfer-Encoding: chunked\r\n") + "x\r\n",
                400},
           Case{"a chunk's length over 64 bits",
                get("/", "Transfer-Encoding: chunked\r\n") + "fffffffffffffffff\r\n", 400},
       }) {
    Client client(test.server.port());
    const auto reply = client.ask(bytes);
    EXPECT_EQ(reply.status, status) << what;
    EXPECT_EQ(reply.header("Content-Type"), "application/json") << what;
    EXPECT_TRUE(reply.body.starts_with("{\"success\":false")) << what;
    EXPECT_EQ(reply.header("Connection"), "close") << what;
    EXPECT_EQ(client.read_to_end(), "") << what;
  }
}

TEST(Limits, count_the_whole_header) {
  auto options = with_envelope();
  options.header_limit = 1000;
  TestServer test(options);
  EXPECT_EQ(Client(test.server.port()).ask(get("/", "X: " + std::string(900, 'x') + "\r\n")).status,
            200);
  EXPECT_EQ(
      Client(test.server.port()).ask(get("/", "X: " + std::string(1000, 'x') + "\r\n")).status,
      431);
  EXPECT_EQ(Client(test.server.port()).ask(get("/" + std::string(1000, 'x'))).status, 431);
  // Small fields, each sent alone, count as well.
  Client client(test.server.port());
  client.send("GET / HTTP/1.1\r\nHost: test\r\n");
  for (int field = 0; field < 100 && client.send("X: 1234567890\r\n"); ++field) {
  }
  EXPECT_EQ(client.read_reply().status, 431);
}

TEST(Limits, bound_what_a_chunk_says_about_itself) {
  auto options = with_envelope();
  options.header_limit = 1000;
  TestServer test(options);
  Client client(test.server.port());
  client.send(get("/", "Transfer-Encoding: chunked\r\n") + "1;x=" + std::string(2000, 'x'));
  EXPECT_EQ(client.read_reply().status, 400);
}

TEST(Limits, hand_over_a_request_whose_body_is_too_large_without_it) {
  ServerOptions options;
  options.body_limit = 1000;
  TestServer test(options);
  test.handler.action = [](Request request, Answer answer) {
    EXPECT_TRUE(request.body_too_large == request.body.empty());
    answer({.status = request.body_too_large ? 413 : 200, .headers = {}, .body = request.target});
  };
  const std::string head = "POST /upload HTTP/1.1\r\nHost: test\r\n";
  const std::string chunk = "1f4\r\n" + std::string(500, 'x') + "\r\n";
  Client fits(test.server.port());
  EXPECT_EQ(fits.ask(post(std::string(1000, 'x'))).status, 200);
  EXPECT_EQ(
      fits.ask(head + "Transfer-Encoding: chunked\r\n\r\n" + chunk + chunk + "0\r\n\r\n").status,
      200);
  for (const auto& request : {
           head + "Content-Length: 1001\r\n\r\n",  // the answer does not wait for the body
           head + "Content-Length: 1001\r\nExpect: 100-continue\r\n\r\n",
           head + "Content-Length: 18446744073709551615\r\n\r\n",
           head + "Transfer-Encoding: chunked\r\n\r\n" + chunk + chunk + "1\r\nx",
       }) {
    Client client(test.server.port());
    const auto reply = client.ask(request);
    EXPECT_EQ(reply.status, 413);
    EXPECT_EQ(reply.body, "/upload");
    EXPECT_EQ(reply.header("Connection"), "close");
    EXPECT_EQ(client.read_to_end(), "");
  }
}

TEST(Limits, let_a_client_read_the_answer_that_came_before_its_body_ended) {
  ServerOptions options;
  options.body_limit = 1000;
  TestServer test(options);
  Client client(test.server.port());
  // More than the sockets hold: only a server that reads on lets this through.
  EXPECT_TRUE(client.send(post(std::string(16 * 1024 * 1024, 'x'))));
  EXPECT_EQ(client.read_reply().status, 200);
}

TEST(Limits, cut_a_slow_header_a_slow_body_and_an_idle_connection) {
  ServerOptions options;
  options.header_timeout = brief;
  options.body_timeout = brief;
  options.idle_timeout = brief;
  TestServer test(options);
  for (const auto& bytes :
       {std::string(), std::string("GET / HTTP/1.1\r\nHo"), get("/").substr(0, 20),
        post("whole").substr(0, post("whole").size() - 1)}) {
    const auto begin = steady_clock::now();
    Client client(test.server.port());
    client.send(bytes);
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_GE(steady_clock::now() - begin, brief);
  }
  Client idle(test.server.port());
  const auto begin = steady_clock::now();
  EXPECT_EQ(idle.ask(get("/")).status, 200);
  EXPECT_EQ(idle.read_to_end(), "");
  EXPECT_GE(steady_clock::now() - begin, brief);
}

TEST(Limits, do_not_let_drops_of_a_header_buy_time) {
  ServerOptions options;
  options.header_timeout = brief;
  TestServer test(options);
  Client client(test.server.port());
  client.send("GET / HTTP/1.1\r\n");
  const auto deadline = steady_clock::now() + patience;
  while (client.send("X: y\r\n") && steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_LT(steady_clock::now(), deadline);
}

TEST(Limits, do_not_wait_for_a_client_that_does_not_read) {
  ServerOptions options;
  options.write_timeout = brief;
  options.max_connections = 1;
  TestServer test(options);
  const std::string large(64 * 1024 * 1024, 'x');
  std::atomic<bool> first{true};
  test.handler.action = [&](Request, Answer answer) {
    answer({.status = 200, .headers = {}, .body = first.exchange(false) ? large : ""});
  };
  Client client;
  const int small = 4096;
  ::setsockopt(client.socket(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  ASSERT_TRUE(client.connect(test.server.port()));
  client.send(get("/"));
  EXPECT_TRUE(gets_through(test.server.port()));  // its place became free
  EXPECT_LT(client.read_to_end().size(), large.size());
}

TEST(Limits, turn_away_one_connection_too_many) {
  auto options = with_envelope();
  options.max_connections = 2;
  TestServer test(options);
  std::optional<Client> one(std::in_place, test.server.port());
  Client two(test.server.port());
  EXPECT_EQ(one->ask(get("/")).status, 200);
  EXPECT_EQ(two.ask(get("/")).status, 200);
  Client three(test.server.port());
  const auto reply = three.read_reply();
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.body, envelope(503, "Too many connections").body);
  EXPECT_EQ(three.read_to_end(), "");
  EXPECT_EQ(two.ask(get("/")).status, 200);
  one.reset();
  EXPECT_TRUE(gets_through(test.server.port()));
}

TEST(Limits, survive_a_shortage_of_file_descriptors) {
  TestServer test;
  Client client;
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const int next = ::dup(0);
  ::close(next);
  const rlimit none_left{.rlim_cur = static_cast<rlim_t>(next), .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none_left), 0);
  // The kernel connects; the server cannot accept yet.
  EXPECT_TRUE(client.connect(test.server.port()));
  EXPECT_TRUE(client.send(get("/")));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(client.read_reply().status, 200);
}

TEST(Stop, lets_a_request_under_way_be_answered_and_closes_the_idle) {
  TestServer test;
  std::promise<Answer> arrived;
  test.handler.action = [&](Request request, Answer answer) {
    if (request.target == "/slow") return arrived.set_value(std::move(answer));
    answer({});
  };
  Client idle(test.server.port());
  ASSERT_EQ(idle.ask(get("/")).status, 200);
  Client busy(test.server.port());
  busy.send(get("/slow"));
  auto answer = arrived.get_future();
  ASSERT_EQ(answer.wait_for(patience), std::future_status::ready);

  auto stopped = std::async(std::launch::async, [&] { test.server.stop(patience); });
  EXPECT_EQ(idle.read_to_end(), "");  // the server is stopping
  EXPECT_FALSE(Client().connect(test.server.port()));
  EXPECT_EQ(stopped.wait_for(Milliseconds{0}), std::future_status::timeout);

  answer.get()({.status = 202, .headers = {}, .body = "done"});
  const auto reply = busy.read_reply();
  EXPECT_EQ(reply.status, 202);
  EXPECT_EQ(reply.body, "done");
  EXPECT_EQ(reply.header("Connection"), "close");
  EXPECT_EQ(busy.read_to_end(), "");
  ::shutdown(busy.socket(), SHUT_RDWR);
  EXPECT_EQ(stopped.wait_for(patience / 2), std::future_status::ready);
}

TEST(Stop, lets_a_held_answer_go) {
  TestServer test;
  std::promise<void> given;
  test.handler.action = [&](Request request, Answer answer) {
    answer({.status = 503, .headers = {}, .body = request.body});
    if (request.body == "again") given.set_value();
  };
  Client client(test.server.port());
  ASSERT_TRUE(client.send(post("once") + post("again")));
  ASSERT_EQ(client.read_reply().body, "once");
  ASSERT_EQ(given.get_future().wait_for(patience), std::future_status::ready);
  auto stopped = std::async(std::launch::async, [&] { test.server.stop(patience); });
  const auto reply = client.read_reply();
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.header("Connection"), "close");
  ::shutdown(client.socket(), SHUT_RDWR);
  EXPECT_EQ(stopped.wait_for(patience / 2), std::future_status::ready);
}

TEST(Stop, ends_when_the_grace_does) {
  TestServer test;
  std::promise<Answer> arrived;
  test.handler.action = [&](Request, Answer answer) { arrived.set_value(std::move(answer)); };
  Client client(test.server.port());
  client.send(get("/"));
  auto answer = arrived.get_future().get();
  const auto begin = steady_clock::now();
  test.server.stop(brief);
  EXPECT_GE(steady_clock::now() - begin, brief);
  EXPECT_EQ(client.read_to_end(), "");
  answer({});  // too late, and harmless
}

TEST(Stop, does_not_wait_for_the_rest_of_a_request) {
  TestServer test;
  Client started(test.server.port());
  ASSERT_EQ(started.ask(get("/")).status, 200);
  started.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Le");
  Client waiting(test.server.port());
  waiting.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n");
  EXPECT_TRUE(waiting.read_head().starts_with("HTTP/1.1 100"));
  Client body(test.server.port());
  body.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf");
  const auto begin = steady_clock::now();
  test.server.stop(patience);
  EXPECT_LT(steady_clock::now() - begin, patience / 2);
  EXPECT_EQ(started.read_to_end(), "");
  EXPECT_EQ(waiting.read_to_end(), "");
  EXPECT_EQ(body.read_to_end(), "");
}

// One thread does all I/O: while it hands a request over, others arrive whole in their sockets.
TEST(Stop, answers_a_whole_request_that_lies_in_the_socket) {
  TestServer test;
  std::promise<void> entered, release;
  auto open = release.get_future();
  test.handler.action = [&](Request request, Answer answer) {
    if (request.target == "/hold") {
      entered.set_value();
      open.wait_for(patience);
    }
    answer({.status = 200, .headers = {}, .body = request.body});
  };
  Client holder(test.server.port()), whole(test.server.port()), half(test.server.port());
  ASSERT_EQ(whole.ask(get("/")).status, 200);
  ASSERT_EQ(half.ask(get("/")).status, 200);
  holder.send(get("/hold"));
  ASSERT_EQ(entered.get_future().wait_for(patience), std::future_status::ready);
  whole.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody");
  half.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo");
  auto stopped = std::async(std::launch::async, [&] { test.server.stop(patience); });
  release.set_value();
  EXPECT_EQ(whole.read_reply().body, "body");
  EXPECT_EQ(half.read_to_end(), "");
  EXPECT_EQ(holder.read_reply().status, 200);
  ::shutdown(whole.socket(), SHUT_RDWR);
  ::shutdown(holder.socket(), SHUT_RDWR);
  EXPECT_EQ(stopped.wait_for(patience / 2), std::future_status::ready);
}

TEST(Stop, leaves_an_answer_that_outlives_the_server_harmless) {
  std::optional<Answer> answer;
  {
    TestServer test;
    std::promise<void> arrived;
    test.handler.action = [&](Request, Answer late) {
      answer = std::move(late);
      arrived.set_value();
    };
    Client client(test.server.port());
    client.send(get("/"));
    ASSERT_EQ(arrived.get_future().wait_for(patience), std::future_status::ready);
  }
  (*answer)({});
  answer.reset();
}

}  // namespace
}  // namespace mp::http
