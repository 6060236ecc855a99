// For outage_test: stands between a client and PostgreSQL and can swallow the answer to the next
// COMMIT, cutting both connections once the server has given it.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

namespace mp::test {

class Cutter {
 public:
  explicit Cutter(std::uint16_t server_port)
      : server_port_(server_port), listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = local(0);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        listen(listener_, 16) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error("no local port");
    }
    port_ = ntohs(address.sin_port);
    accepting_ = std::thread([this] { accept_all(); });
  }
  ~Cutter() {
    stopping_ = true;
    accepting_.join();
    for (auto& pair : pairs_) pair.join();
    close(listener_);
  }
  Cutter(const Cutter&) = delete;
  Cutter& operator=(const Cutter&) = delete;

  std::uint16_t port() const { return port_; }
  void swallow_next_commit() { armed_ = true; }
  bool has_swallowed() const { return swallowed_; }

 private:
  static sockaddr_in local(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  void accept_all() {
    while (!stopping_) {
      pollfd wait{listener_, POLLIN, 0};
      if (poll(&wait, 1, 20) <= 0) continue;
      const int client = accept(listener_, nullptr, nullptr);
      pairs_.emplace_back([this, client] { forward(client); });
    }
  }

  void forward(int client) {
    const int server = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = local(server_port_);
    bool open = connect(server, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    while (open && !stopping_) {
      pollfd wait[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
      if (poll(wait, 2, 20) <= 0) continue;
      if (wait[0].revents) open = !copy(client, server).empty();
      if (open && wait[1].revents) open = !copy(server, client).empty();
    }
    close(client);
    close(server);
  }

  // What was passed on; nothing when the connection ends here. CommandComplete of a COMMIT is never
  // the client's.
  std::string copy(int from, int to) {
    std::string bytes(65536, '\0');
    const ssize_t size = recv(from, bytes.data(), bytes.size(), 0);
    bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    const bool done = bytes.find(std::string_view("C\0\0\0\x0b"
                                                  "COMMIT",
                                                  11)) != std::string::npos;
    if (done && armed_.exchange(false)) {
      swallowed_ = true;
      return {};
    }
    const bool sent =
        send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
    return sent ? bytes : std::string();
  }

  const std::uint16_t server_port_;
  const int listener_;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false}, armed_{false}, swallowed_{false};
  std::list<std::thread> pairs_;
  std::thread accepting_;
};

}  // namespace mp::test
