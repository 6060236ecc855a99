#include "http/server.hpp"

#include "http/test_client.hpp"

#include <atomic>
#include <future>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include <sys/socket.h>

namespace mp::http {
namespace {

TEST(Server, answers_and_keeps_the_connection) {
  TestServer test;
  Client client(test.server.port());
  for (const std::string target : {"/a", "/b?c=d", "/e"}) {
    const auto reply = client.ask(get(target));
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.header("X-Target"), target);
    EXPECT_EQ(reply.body, "GET ");
    EXPECT_EQ(reply.header("Connection"), "");
    EXPECT_EQ(reply.header("Date").size(),
              std::string_view("Sun, 06 Nov 1994 08:49:37 GMT").size());
  }
}

TEST(Server, tells_the_handler_what_the_client_sent_and_who_it_is) {
  TestServer test;
  std::optional<Request> seen;
  test.handler.action = [&](Request request, Answer answer) {
    seen = std::move(request);
    answer({});
  };
  Client client(test.server.port());
  ASSERT_EQ(client.ask(post("{}", "Content-Type: application/json\r\nX-Twice: 1\r\nX-Twice: 2\r\n"))
                .status,
            200);
  EXPECT_EQ(seen->method, "POST");
  EXPECT_EQ(seen->target, "/post");
  EXPECT_EQ(seen->body, "{}");
  EXPECT_EQ(seen->peer, "127.0.0.1");
  EXPECT_FALSE(seen->secure);
  EXPECT_FALSE(seen->body_too_large);
  EXPECT_EQ(seen->header("content-type"), "application/json");
  EXPECT_EQ(seen->headers.size(), 5U);
}

TEST(Server, closes_when_the_client_asks_for_it) {
  TestServer test;
  Client client(test.server.port());
  const auto reply = client.ask(get("/", "Connection: close\r\n"));
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.header("Connection"), "close");
  EXPECT_EQ(client.read_to_end(), "");
}

TEST(Server, keeps_an_old_client_only_when_it_asks_for_it) {
  TestServer test;
  Client client(test.server.port());
  EXPECT_EQ(client.ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").header("Connection"),
            "keep-alive");
  EXPECT_EQ(client.ask("GET / HTTP/1.0\r\n\r\n").header("Connection"), "close");
  EXPECT_EQ(client.read_to_end(), "");
}

TEST(Server, answers_pipelined_requests_in_order_wherever_they_are_answered) {
  TestServer test;
  std::vector<std::future<void>> others;
  test.handler.action = [&](Request request, Answer answer) {
    Response response{.status = 200, .headers = {}, .body = request.target + request.body};
    if (request.target == "/slow") {
      others.push_back(std::async(std::launch::async, [answer, response] { answer(response); }));
    } else {
      answer(response);
    }
  };
  Client client(test.server.port());
  ASSERT_TRUE(client.send(get("/1") + get("/slow") + post("body") + get("/slow") + get("/2")));
  for (const auto* expected : {"/1", "/slow", "/postbody", "/slow", "/2"}) {
    EXPECT_EQ(client.read_reply().body, expected);
  }
}

TEST(Server, answers_a_deep_pipeline) {
  TestServer test;
  Client client(test.server.port());
  std::string requests;
  constexpr int count = 5000;
  for (int at = 0; at < count; ++at) requests += get("/");
  std::thread sender([&] { EXPECT_TRUE(client.send(requests)); });
  for (int at = 0; at < count; ++at) ASSERT_EQ(client.read_reply().status, 200);
  sender.join();
}

TEST(Server, takes_a_request_that_comes_byte_by_byte) {
  TestServer test;
  Client client(test.server.port());
  for (const char letter : post("hello")) ASSERT_TRUE(client.send({&letter, 1}));
  EXPECT_EQ(client.read_reply().body, "POST hello");
}

TEST(Server, reads_a_chunked_body_and_drops_its_trailers) {
  TestServer test;
  Client client(test.server.port());
  std::size_t fields = 0;
  test.handler.action = [&](Request request, Answer answer) {
    fields = request.headers.size();
    answer({.status = 200, .headers = {}, .body = request.body});
  };
  const auto reply = client.ask(
      "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n7;name=value\r\n, world\r\n0\r\nAuthorization: stolen\r\n\r\n");
  EXPECT_EQ(reply.body, "hello, world");
  EXPECT_EQ(fields, 2U);
  EXPECT_EQ(client.ask(get("/")).status, 200);
}

TEST(Server, answers_head_with_the_length_and_without_the_body) {
  TestServer test;
  Client client(test.server.port());
  const auto reply = client.ask("HEAD /x HTTP/1.1\r\nHost: test\r\n\r\n", "HEAD");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.header("Content-Length"), "5");  // "HEAD "
  EXPECT_EQ(client.ask(get("/")).body, "GET ");    // nothing lies between
}

TEST(Server, asks_for_the_body_that_waits_for_it) {
  TestServer test;
  Client client(test.server.port());
  ASSERT_TRUE(client.send(
      "PUT / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"));
  EXPECT_EQ(client.read_head(), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(client.ask("hello").body, "PUT hello");
  // It does not ask for what is there.
  EXPECT_EQ(client.ask(post("hello", "Expect: 100-continue\r\n")).status, 200);
}

TEST(Server, takes_the_answer_from_any_thread) {
  TestServer test;
  std::vector<std::jthread> threads;
  test.handler.action = [&](Request request, Answer answer) {
    threads.emplace_back(
        [answer, body = request.body] { answer({.status = 201, .headers = {}, .body = body}); });
  };
  Client client(test.server.port());
  for (int at = 0; at < 50; ++at) {
    const auto reply = client.ask(post(std::to_string(at)));
    EXPECT_EQ(reply.status, 201);
    EXPECT_EQ(reply.body, std::to_string(at));
  }
}

TEST(Server, holds_the_answer_of_who_asks_again_at_once_for_what_it_has_no_room_for) {
  ServerOptions options;
  options.write_timeout = Milliseconds{40};  // answers are let go on its tick
  TestServer test(options);
  test.handler.action = [&](Request request, Answer answer) {
    answer({.status = request.target == "/post" || request.target == "/health" ? 503 : 200,
            .headers = {},
            .body = request.target});
  };
  constexpr Milliseconds hold{1000};
  Client held(test.server.port());
  const auto began = std::chrono::steady_clock::now();
  ASSERT_TRUE(held.send(post("{}") + post("{}") + get("/next")));
  EXPECT_EQ(held.read_reply().status, 503);
  Client other(test.server.port());
  for (int round = 0; round < 3; ++round) EXPECT_EQ(other.ask(get("/health")).status, 503);
  EXPECT_LT(std::chrono::steady_clock::now() - began, hold);
  EXPECT_EQ(held.read_reply().status, 503);
  EXPECT_GE(std::chrono::steady_clock::now() - began, hold);
  EXPECT_EQ(held.read_reply().body, "/next");
}

TEST(Server, takes_one_answer_for_a_request) {
  TestServer test;
  test.handler.action = [](Request request, Answer answer) {
    answer({.status = 200, .headers = {}, .body = request.target});
    answer({.status = 200, .headers = {}, .body = "again"});
  };
  Client client(test.server.port());
  EXPECT_EQ(client.ask(get("/1")).body, "/1");
  EXPECT_EQ(client.ask(get("/2")).body, "/2");
}

TEST(Server, answers_500_for_a_handler_that_throws_or_forgets) {
  ServerOptions options;
  options.refuse = envelope;
  TestServer test(options);
  test.handler.action = [](Request request, Answer) {
    if (request.target == "/throw") throw std::runtime_error("a private detail");
  };
  Client client(test.server.port());
  for (const auto* target : {"/throw", "/forget"}) {
    const auto reply = client.ask(get(target));
    EXPECT_EQ(reply.status, 500);
    EXPECT_EQ(reply.body, envelope(500, "Internal server error").body);
  }
}

TEST(Server, withholds_an_answer_that_would_inject_a_header) {
  TestServer test;
  Response response;
  test.handler.action = [&](Request, Answer answer) { answer(response); };
  for (const auto& [name, value] : Headers{{"Location", "/x\r\nSet-Cookie: a=b"},
                                           {"Location", "/x\nSet-Cookie: a=b"},
                                           {"Location", std::string("a\0b", 3)},
                                           {"X-A: b\r\nSet-Cookie", "a=b"},
                                           {"", "x"}}) {
    response = {.status = 200, .headers = {{name, value}}, .body = "kept back"};
    Client client(test.server.port());
    ASSERT_TRUE(client.send(get("/", "Connection: close\r\n")));
    const auto bytes = client.read_to_end();
    EXPECT_TRUE(bytes.starts_with("HTTP/1.1 500 ")) << bytes;
    EXPECT_EQ(bytes.find("Set-Cookie"), std::string::npos);
    EXPECT_EQ(bytes.find("kept back"), std::string::npos);
  }
}

TEST(Server, sends_an_answer_larger_than_the_sockets_buffers) {
  TestServer test;
  const std::string large(20 * 1024 * 1024, 'x');
  test.handler.action = [&](Request, Answer answer) {
    answer({.status = 200, .headers = {}, .body = large});
  };
  Client client(test.server.port());
  ASSERT_TRUE(client.send(get("/") + get("/")));
  EXPECT_EQ(client.read_reply().body.size(), large.size());
  EXPECT_EQ(client.read_reply().body.size(), large.size());
}

TEST(Server, serves_many_connections_on_several_threads) {
  TestHandler handler;
  Server server({.listen = "127.0.0.1:0", .threads = 3}, handler);
  server.start();
  std::vector<std::thread> clients;
  std::atomic<int> right{0};
  for (int at = 0; at < 8; ++at) {
    clients.emplace_back([&, at] {
      Client client(server.port());
      for (int turn = 0; turn < 100; ++turn) {
        const auto body = std::to_string(at * 1000 + turn);
        right += client.ask(post(body)).body == "POST " + body ? 1 : 0;
      }
    });
  }
  for (auto& client : clients) client.join();
  EXPECT_EQ(right, 800);
}

TEST(Server, says_why_it_cannot_listen) {
  TestServer first;
  const auto message = [&](const std::string& listen) -> std::string {
    try {
      Server(ServerOptions{.listen = listen}, first.handler).start();
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "it can";
  };
  const auto taken = "127.0.0.1:" + std::to_string(first.server.port());
  EXPECT_EQ(message(taken), "http.listen: cannot listen on " + taken + ": Address already in use");
  for (const auto* listen : {"", "8000", ":8000", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
                             "127.0.0.1:80x", "somewhere:80", "::1:80", "[127.0.0.1]:80"}) {
    EXPECT_EQ(message(listen), "http.listen: \"" + std::string(listen) +
                                   "\" is not an address and port like 0.0.0.0:8000 or [::]:8000");
  }
}

TEST(Server, listens_on_both_families_and_names_the_old_ones_addresses) {
  TestHandler handler;
  std::string peer;
  handler.action = [&](Request request, Answer answer) {
    peer = request.peer;
    answer({});
  };
  Server server({.listen = "[::]:0", .threads = 1}, handler);
  try {
    server.start();
  } catch (const std::runtime_error& error) {
    EXPECT_LT(::socket(AF_INET6, SOCK_STREAM, 0), 0) << error.what();
    return;  // a machine without IPv6
  }
  Client client(server.port());
  EXPECT_EQ(client.ask(get("/")).status, 200);
  EXPECT_EQ(peer, "127.0.0.1");
}

}  // namespace
}  // namespace mp::http
