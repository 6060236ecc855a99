#include "rpc/client.hpp"

#include "rpc/address.hpp"
#include "rpc/connection.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <exception>
#include <thread>
#include <utility>

namespace mp::rpc {
namespace {

namespace asio = boost::asio;

}  // namespace

class Client::State {
 public:
  explicit State(ClientOptions options);
  ~State() {
    for (auto& lane : lanes_) lane->loop.stop();
  }

  void start(std::size_t number, std::shared_ptr<Call> call);
  const Limits& limits() const { return options_.limits; }

 private:
  // A loop and its connections by their numbers; of the loop's thread.
  struct Lane {
    Lane(Crowd& crowd, const Limits& limits) : loop(crowd, limits) {}
    Loop loop;
    std::unordered_map<std::size_t, std::weak_ptr<Connection>> connections;
  };

  std::shared_ptr<Connection> connection(Lane& lane, std::size_t number);
  void connected(const std::shared_ptr<Connection>& connection,
                 const boost::system::error_code& error);

  const ClientOptions options_;
  const asio::ip::tcp::endpoint endpoint_;
  std::optional<net::Tls> tls_;
  Crowd crowd_;
  std::vector<std::unique_ptr<Lane>> lanes_;
};

Client::State::State(ClientOptions options)
    : options_(std::move(options)), endpoint_(resolve(options_.address, Purpose::Connect).front()) {
  if (options_.tls) tls_.emplace(*options_.tls, net::http2);
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  const auto count = options_.threads > 0 ? static_cast<unsigned>(options_.threads) : cores;
  while (lanes_.size() < count) {
    lanes_.push_back(std::make_unique<Lane>(crowd_, options_.limits));
    lanes_.back()->loop.start();
  }
}

void Client::State::start(std::size_t number, std::shared_ptr<Call> call) {
  Lane& lane = *lanes_[number % lanes_.size()];
  asio::post(lane.loop.context(), [this, &lane, number, call = std::move(call)] {
    connection(lane, number)->add(call);
  });
}

std::shared_ptr<Connection> Client::State::connection(Lane& lane, std::size_t number) {
  auto& known = lane.connections[number];
  if (auto there = known.lock(); there && there->usable()) return there;
  const auto made = std::make_shared<Connection>(
      lane.loop, options_.limits, Socket{lane.loop.context()},
      Head{.authority = options_.tls ? options_.tls->server_name : options_.address,
           .scheme = options_.tls ? "https" : "http"});
  known = made;
  lane.loop.add(made);
  made->socket().async_connect(endpoint_,
                               [this, made](const auto& error) { connected(made, error); });
  return made;
}

void Client::State::connected(const std::shared_ptr<Connection>& connection,
                              const boost::system::error_code& error) {
  if (!connection->usable()) return;  // it waited too long
  const auto lost = [&](const std::string& why) {
    connection->close({code::unavailable, "cannot connect: " + why});
  };
  if (error) return lost(error.message());
  try {
    Socket& socket = connection->socket();
    socket.set_option(asio::ip::tcp::no_delay(true));
    socket.non_blocking(true);
    const int handle = socket.native_handle();
    connection->start(tls_ ? tls_->channel(handle) : net::plain_channel(handle));
  } catch (const std::exception& fault) {
    lost(fault.what());
  }
}

Client::Client(ClientOptions options) : state_(std::make_unique<State>(std::move(options))) {}
Client::~Client() = default;

std::shared_ptr<Call> Client::call(std::size_t connection, std::string method, Fields fields,
                                   std::shared_ptr<Receiver> receiver) {
  auto call = Session::make_call(state_->limits(), std::move(method), std::move(fields),
                                 std::move(receiver));
  state_->start(connection, call);
  return call;
}

}  // namespace mp::rpc
