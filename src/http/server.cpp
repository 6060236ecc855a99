#include "http/server.hpp"

#include "base/log.hpp"
#include "http/connection.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace mp::http {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Acceptor = asio::basic_socket_acceptor<tcp, asio::io_context::executor_type>;

constexpr std::chrono::milliseconds accept_pause{100};

tcp::endpoint parse_listen(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon != std::string_view::npos && colon > 0) {
    auto host = text.substr(0, colon);
    const auto digits = text.substr(colon + 1);
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    std::uint16_t port = 0;
    const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    boost::system::error_code error;
    const auto address = asio::ip::make_address(std::string(host), error);
    const bool port_read =
        fault == std::errc{} && !digits.empty() && end == digits.data() + digits.size();
    if (!error && port_read && bracketed == address.is_v6()) return {address, port};
  }
  throw std::runtime_error("http.listen: \"" + std::string(text) +
                           "\" is not an address and port like 0.0.0.0:8000 or [::]:8000");
}

std::string client_address(const tcp::endpoint& peer) {
  const auto address = peer.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  }
  return address.to_string();
}

std::string read_file(const std::string& path, const std::string& problem) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(problem + ": " + std::generic_category().message(errno));
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

// How a fault of the files begins.
net::Titles titles(const ServerOptions& options) {
  return {.certificate = "tls.certificate: cannot load " + options.certificate,
          .key = "tls.key: cannot load " + options.key};
}

net::ServerTls read_files(const ServerOptions& options) {
  const auto [certificate, key] = titles(options);
  return {.certificate_pem = read_file(options.certificate, certificate),
          .key_pem = Secret(read_file(options.key, key)),
          .client_ca_pem = {}};
}

Milliseconds tick(const ServerOptions& options) {
  const auto shortest = std::min(
      {options.header_timeout, options.body_timeout, options.idle_timeout, options.write_timeout});
  return std::clamp(shortest / 4, Milliseconds{10}, Milliseconds{1'000});
}

std::size_t thread_count(const ServerOptions& options) {
  if (options.threads > 0) return static_cast<std::size_t>(options.threads);
  return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace

class Server::State {
 public:
  State(ServerOptions options, Handler& handler)
      : options_(std::move(options)),
        site_{.options = options_, .handler = handler, .tls = nullptr} {
    while (loops_.size() < thread_count(options_)) {
      loops_.push_back(std::make_unique<Loop>(crowd_, tick(options_)));
    }
    acceptor_.emplace(loops_.front()->context());
    pause_.emplace(loops_.front()->context());
  }

  ~State() { stop(Milliseconds{0}); }

  void start();
  void stop(Milliseconds grace);
  std::uint16_t port() const { return port_; }
  void renew_certificate() {
    if (site_.tls) site_.tls->renew(read_files(options_));
  }

 private:
  void listen();
  void accept();
  void accepted(const boost::system::error_code& error, Loop& loop, Socket socket);
  void wait_for_room(const boost::system::error_code& error);
  void take(Loop& loop, Socket socket);

  const ServerOptions options_;
  Site site_;
  Crowd crowd_;
  std::vector<std::unique_ptr<Loop>> loops_;
  std::optional<Acceptor> acceptor_;         // on the first loop
  std::optional<asio::steady_timer> pause_;  // likewise
  tcp::endpoint peer_;
  std::size_t next_loop_ = 0;
  std::uint16_t port_ = 0;
  bool short_of_sockets_ = false;
  bool running_ = false;
};

void Server::State::listen() {
  const auto endpoint = parse_listen(options_.listen);
  boost::system::error_code error;
  acceptor_->open(endpoint.protocol(), error);
  if (!error) acceptor_->set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && endpoint.address().is_v6()) acceptor_->set_option(asio::ip::v6_only(false), error);
  if (!error) acceptor_->bind(endpoint, error);
  if (!error) acceptor_->listen(tcp::acceptor::max_listen_connections, error);
  if (error) {
    throw std::runtime_error("http.listen: cannot listen on " + options_.listen + ": " +
                             error.message());
  }
  port_ = acceptor_->local_endpoint().port();
}

void Server::State::start() {
  if (options_.certificate.empty() != options_.key.empty()) {
    throw std::runtime_error("tls.certificate and tls.key: one is set without the other");
  }
  if (!options_.key.empty())
    site_.tls = std::make_unique<net::Tls>(read_files(options_), net::http1, titles(options_));
  listen();
  for (auto& loop : loops_) loop->start();
  running_ = true;
  asio::post(loops_.front()->context(), [this] { accept(); });
}

void Server::State::accept() {
  auto& loop = *loops_[next_loop_++ % loops_.size()];
  acceptor_->async_accept(loop.context(), peer_,
                          [this, &loop](const boost::system::error_code& error, Socket socket) {
                            accepted(error, loop, std::move(socket));
                          });
}

void Server::State::accepted(const boost::system::error_code& error, Loop& loop, Socket socket) {
  if (error == asio::error::operation_aborted || !acceptor_->is_open()) return;
  if (error && error != asio::error::connection_aborted) return wait_for_room(error);
  if (!error) {
    short_of_sockets_ = false;
    take(loop, std::move(socket));
  }
  accept();
}

// No file descriptor or memory for one more: the clients wait in the kernel's queue meanwhile.
void Server::State::wait_for_room(const boost::system::error_code& error) {
  if (!std::exchange(short_of_sockets_, true)) {
    log::warning("http: cannot accept connections", {{"error", error.message()}});
  }
  pause_->expires_after(accept_pause);
  pause_->async_wait([this](const boost::system::error_code& stopped) {
    if (!stopped && acceptor_->is_open()) accept();
  });
}

void Server::State::take(Loop& loop, Socket socket) {
  boost::system::error_code error;
  socket.set_option(tcp::no_delay(true), error);
  if (!error) socket.non_blocking(true, error);
  if (error) return;
  const auto place = crowd_.enter(options_.max_connections);
  if (place == Place::Nowhere) return;
  asio::dispatch(loop.context(), [this, &loop, place, peer = client_address(peer_),
                                  socket = std::move(socket)]() mutable {
    const auto connection =
        std::make_shared<Connection>(loop, site_, std::move(socket), std::move(peer), place);
    loop.add(connection);
    connection->guarded([&] { connection->start(); });
  });
}

void Server::State::stop(Milliseconds grace) {
  if (!std::exchange(running_, false)) return;
  const auto deadline = std::chrono::steady_clock::now() + grace;
  asio::post(loops_.front()->context(), [this] {
    boost::system::error_code ignored;
    acceptor_->close(ignored);
    pause_->cancel();
  });
  for (auto& loop : loops_) loop->drain();
  crowd_.wait_until_empty(deadline);
  for (auto& loop : loops_) loop->stop();
}

Server::Server(ServerOptions options, Handler& handler)
    : state_(std::make_unique<State>(std::move(options), handler)) {}

Server::~Server() = default;

void Server::start() { state_->start(); }
std::uint16_t Server::port() const { return state_->port(); }
void Server::stop(Milliseconds grace) { state_->stop(grace); }
void Server::renew_certificate() { state_->renew_certificate(); }

}  // namespace mp::http
