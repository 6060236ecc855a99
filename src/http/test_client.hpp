// For the tests of this layer: a client that sends exactly the given bytes, and a Handler made of a
// function. Every wait of the client ends after `patience`.
#pragma once

#include "http/server.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace mp::http {

inline constexpr std::chrono::seconds patience{10};

struct TestHandler : Handler {
  std::function<void(Request, Answer)> action = [](Request request, Answer answer) {
    answer({.status = 200,
            .headers = {{"X-Target", request.target}},
            .body = request.method + " " + request.body});
  };
  void handle(Request request, Answer answer) override {
    action(std::move(request), std::move(answer));
  }
};

// A server on a free port of this machine, with one I/O thread.
struct TestServer {
  explicit TestServer(ServerOptions options = {}) : server(local(std::move(options)), handler) {
    server.start();
  }
  static ServerOptions local(ServerOptions options) {
    options.listen = "127.0.0.1:0";
    options.threads = 1;
    return options;
  }

  TestHandler handler;
  Server server;
};

inline Response envelope(int status, std::string_view message) {
  return {.status = status,
          .headers = {{"Content-Type", "application/json"}},
          .body = R"({"success":false,"error":")" + std::string(message) + "\"}"};
}

struct Reply {
  int status = 0;  // 0: the connection ended first
  Headers headers;
  std::string body;
  std::string_view header(std::string_view name) const { return find_header(headers, name); }
};

class Client {
 public:
  Client() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval limit{.tv_sec = patience.count(), .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }
  explicit Client(std::uint16_t port) : Client() { connect(port); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  virtual ~Client() { ::close(socket_); }

  bool connect(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }

  int socket() const { return socket_; }

  // False when the server stopped taking bytes.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto count = put(bytes);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  // `method` is the request's: an answer to HEAD has no body.
  Reply read_reply(std::string_view method = "GET") {
    Reply reply;
    const auto head = read_head();
    if (head.empty()) return reply;
    reply.status = std::stoi(head.substr(9, 3));
    std::size_t at = head.find("\r\n") + 2;
    while (at < head.size() - 2) {
      const auto end = head.find("\r\n", at);
      const auto colon = head.find(": ", at);
      reply.headers.emplace_back(head.substr(at, colon - at),
                                 head.substr(colon + 2, end - colon - 2));
      at = end + 2;
    }
    const auto length = reply.header("Content-Length");
    if (method != "HEAD" && !length.empty())
      reply.body = read_exactly(std::stoul(std::string(length)));
    return reply;
  }

  Reply ask(std::string_view request, std::string_view method = "GET") {
    send(request);
    return read_reply(method);
  }

  // Up to and with the empty line; empty when the connection ended first.
  std::string read_head() {
    std::size_t end;
    while ((end = unread_.find("\r\n\r\n")) == std::string::npos) {
      if (!fill()) return {};
    }
    auto head = unread_.substr(0, end + 4);
    unread_.erase(0, end + 4);
    return head;
  }

  // What came until the server closed. Fails the test when it did not.
  std::string read_to_end() {
    while (fill()) {
    }
    EXPECT_TRUE(ended_) << "the server left the connection open";
    return std::exchange(unread_, {});
  }

 protected:
  virtual ssize_t put(std::string_view bytes) {
    return ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  virtual ssize_t get(char* into, std::size_t space) {
    const auto count = ::recv(socket_, into, space, 0);
    return count < 0 && errno == ECONNRESET ? 0 : count;
  }

 private:
  bool fill() {
    char bytes[65536];
    const auto count = get(bytes, sizeof bytes);
    ended_ = count == 0;
    if (count > 0) unread_.append(bytes, static_cast<std::size_t>(count));
    return count > 0;
  }

  std::string read_exactly(std::size_t length) {
    while (unread_.size() < length && fill()) {
    }
    auto bytes = unread_.substr(0, length);
    unread_.erase(0, bytes.size());
    return bytes;
  }

  int socket_;
  std::string unread_;
  bool ended_ = false;
};

inline std::string get(std::string_view target, std::string_view fields = "") {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: test\r\n" + std::string(fields) +
         "\r\n";
}

inline std::string post(std::string_view body, std::string_view fields = "") {
  return "POST /post HTTP/1.1\r\nHost: test\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

}  // namespace mp::http
