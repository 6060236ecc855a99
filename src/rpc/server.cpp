#include "rpc/server.hpp"

#include "base/log.hpp"
#include "rpc/address.hpp"
#include "rpc/connection.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <stdexcept>
#include <thread>
#include <utility>

namespace mp::rpc {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Acceptor = asio::basic_socket_acceptor<tcp, asio::io_context::executor_type>;

constexpr std::chrono::milliseconds accept_pause{100};

std::size_t thread_count(int wanted) {
  if (wanted > 0) return static_cast<std::size_t>(wanted);
  return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace

class Server::State {
 public:
  State(ServerOptions options, Accept accept)
      : options_(std::move(options)), accept_(std::move(accept)) {
    while (loops_.size() < thread_count(options_.threads))
      loops_.push_back(std::make_unique<Loop>(crowd_, options_.limits));
  }
  ~State() { stop(Milliseconds{0}); }

  void start();
  void stop(Milliseconds grace);
  int port() const { return port_; }
  void renew(const net::ServerTls& tls);
  const std::vector<std::unique_ptr<Loop>>& loops() const { return loops_; }

 private:
  // One address that is listened on.
  struct Door {
    explicit Door(asio::io_context& context) : acceptor(context), pause(context) {}
    Acceptor acceptor;
    asio::steady_timer pause;
    tcp::endpoint peer;
    bool short_of_sockets = false;
  };

  boost::system::error_code listen(const tcp::endpoint& endpoint);
  void accept(Door& door);
  void accepted(Door& door, const boost::system::error_code& error, Loop& loop, Socket socket);
  void wait_for_room(Door& door, const boost::system::error_code& error);
  void take(Loop& loop, Socket socket, std::string peer);

  const ServerOptions options_;
  const Accept accept_;
  Crowd crowd_;
  std::vector<std::unique_ptr<Loop>> loops_;
  std::vector<std::unique_ptr<Door>> doors_;  // on the first loop
  std::size_t next_loop_ = 0;
  int port_ = 0;
  bool running_ = false;
  std::optional<net::Tls> tls_;
};

// A name may stand for several addresses, which get the same port; one that can be listened on is
// enough.
void Server::State::start() {
  if (options_.tls) tls_.emplace(*options_.tls, net::http2);
  boost::system::error_code error;
  for (auto endpoint : resolve(options_.listen, Purpose::Listen)) {
    if (endpoint.port() == 0) endpoint.port(static_cast<std::uint16_t>(port_));
    if (const auto fault = listen(endpoint)) error = fault;
  }
  if (doors_.empty()) throw std::runtime_error(error.message());
  for (auto& loop : loops_) loop->start();
  running_ = true;
  asio::post(loops_.front()->context(), [this] {
    for (auto& door : doors_) accept(*door);
  });
}

boost::system::error_code Server::State::listen(const tcp::endpoint& endpoint) {
  auto door = std::make_unique<Door>(loops_.front()->context());
  auto& acceptor = door->acceptor;
  try {
    acceptor.open(endpoint.protocol());
    acceptor.set_option(tcp::acceptor::reuse_address(true));
    if (endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only(false));
    acceptor.bind(endpoint);
    acceptor.listen(tcp::acceptor::max_listen_connections);
    port_ = acceptor.local_endpoint().port();
  } catch (const boost::system::system_error& fault) {
    return fault.code();
  }
  doors_.push_back(std::move(door));
  return {};
}

void Server::State::accept(Door& door) {
  auto& loop = *loops_[next_loop_++ % loops_.size()];
  door.acceptor.async_accept(
      loop.context(), door.peer,
      [this, &door, &loop](const boost::system::error_code& error, Socket socket) {
        accepted(door, error, loop, std::move(socket));
      });
}

void Server::State::accepted(Door& door, const boost::system::error_code& error, Loop& loop,
                             Socket socket) {
  if (error == asio::error::operation_aborted || !door.acceptor.is_open()) return;
  if (error && error != asio::error::connection_aborted) return wait_for_room(door, error);
  if (!error) {
    door.short_of_sockets = false;
    take(loop, std::move(socket), text_of(door.peer.address()));
  }
  accept(door);
}

// No file descriptor or memory for one more: the clients wait in the kernel's queue meanwhile.
void Server::State::wait_for_room(Door& door, const boost::system::error_code& error) {
  if (!std::exchange(door.short_of_sockets, true))
    log::warning("rpc: cannot accept connections", {{"error", error.message()}});
  door.pause.expires_after(accept_pause);
  door.pause.async_wait([this, &door](const boost::system::error_code& stopped) {
    if (!stopped && door.acceptor.is_open()) accept(door);
  });
}

void Server::State::take(Loop& loop, Socket socket, std::string peer) {
  auto begin = [this, &loop, peer = std::move(peer), socket = std::move(socket)]() mutable {
    try {
      socket.set_option(tcp::no_delay(true));
      socket.non_blocking(true);
      const int handle = socket.native_handle();
      auto channel = tls_ ? tls_->channel(handle) : net::plain_channel(handle);
      std::make_shared<Connection>(loop, options_.limits, std::move(socket), std::move(channel),
                                   std::move(peer), accept_)
          ->start();
    } catch (const boost::system::system_error&) {
      // The client has gone already.
    } catch (const std::exception& fault) {
      log::warning("rpc: cannot take a connection", {{"fault", fault.what()}});
    }
  };
  asio::dispatch(loop.context(), std::move(begin));
}

void Server::State::renew(const net::ServerTls& tls) {
  try {
    if (tls_) tls_->renew(tls);
  } catch (const std::exception& fault) {
    log::error("rpc: the certificate is not renewed", {{"fault", fault.what()}});
  }
}

void Server::State::stop(Milliseconds grace) {
  if (!std::exchange(running_, false)) return;
  const auto deadline = std::chrono::steady_clock::now() + grace;
  asio::post(loops_.front()->context(), [this] {
    for (auto& door : doors_) {
      door->acceptor.close();
      door->pause.cancel();
    }
  });
  for (auto& loop : loops_) loop->drain();
  crowd_.wait_until_empty(deadline);
  for (auto& loop : loops_) loop->stop();
}

Server::Burst::Burst(State& state) : state_(state) {
  for (const auto& loop : state_.loops()) loop->hold();
}

Server::Burst::~Burst() {
  for (const auto& loop : state_.loops()) loop->release();
}

Server::Server(ServerOptions options, Accept accept)
    : state_(std::make_unique<State>(std::move(options), std::move(accept))) {}
Server::~Server() = default;

void Server::start() { state_->start(); }
int Server::port() const { return state_->port(); }
void Server::renew(const net::ServerTls& tls) { state_->renew(tls); }
void Server::stop(Milliseconds grace) { state_->stop(grace); }

}  // namespace mp::rpc
