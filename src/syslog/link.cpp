#include "syslog/link.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>

namespace mp::syslog {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;
using boost::system::error_code;

std::string text_of(const error_code& error) { return error ? error.message() : ""; }

class DatagramLink final : public Link {
 public:
  explicit DatagramLink(asio::io_context& context) : socket_(context) {}

  asio::awaitable<std::string> open(Place place) override {
    error_code error;
    const udp::endpoint target(place.address, place.port);
    socket_.open(target.protocol(), error);
    if (!error) socket_.connect(target, error);
    if (!error) watch();
    co_return text_of(error);
  }

  asio::awaitable<std::string> send(const std::vector<std::string>& records) override {
    for (const std::string& record : records) {
      error_code error;
      co_await socket_.async_send(asio::buffer(record),
                                  asio::redirect_error(asio::use_awaitable, error));
      if (error == asio::error::message_size) continue;  // the network takes none so long
      if (error) co_return error.message();
    }
    co_return "";
  }

  void close() override {
    error_code ignored;
    socket_.close(ignored);
  }

 private:
  // A machine that has nobody listening says so (ICMP), and the socket reports it here.
  void watch() {
    socket_.async_receive(asio::buffer(unread_),
                          [self = shared_from_this(), this](const error_code& error, std::size_t) {
                            if (error == asio::error::operation_aborted) return;
                            if (error)
                              fault_ = error.message();
                            else
                              watch();
                          });
  }

  udp::socket socket_;
  std::array<char, 512> unread_{};
};

// RFC 6587 §3.4.1: the length in front.
std::string framed(const std::vector<std::string>& records) {
  std::string bytes;
  for (const std::string& record : records) bytes += std::to_string(record.size()) + " " + record;
  return bytes;
}

template <class Stream>
class StreamLink : public Link {
 public:
  template <class... Arguments>
  explicit StreamLink(Arguments&&... arguments) : stream_(std::forward<Arguments>(arguments)...) {}

  asio::awaitable<std::string> open(Place place) override {
    error_code error;
    const tcp::endpoint target(place.address, place.port);
    co_await stream_.lowest_layer().async_connect(target,
                                                  asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return error.message();
    stream_.lowest_layer().set_option(tcp::socket::keep_alive(true), error);
    const std::string fault = co_await greet();
    if (fault.empty()) watch();
    co_return fault;
  }

  asio::awaitable<std::string> send(const std::vector<std::string>& records) override {
    const std::string bytes = framed(records);
    error_code error;
    co_await asio::async_write(stream_, asio::buffer(bytes),
                               asio::redirect_error(asio::use_awaitable, error));
    co_return text_of(error);
  }

  void close() override {
    error_code ignored;
    stream_.lowest_layer().close(ignored);
  }

 protected:
  virtual asio::awaitable<std::string> greet() { co_return ""; }

  Stream stream_;

 private:
  // A syslog server sends nothing; what is read here is the end of the connection.
  void watch() {
    stream_.async_read_some(asio::buffer(unread_), [self = shared_from_this(), this](
                                                       const error_code& error, std::size_t) {
      if (error)
        fault_ = error.message();
      else
        watch();
    });
  }

  std::array<char, 512> unread_{};
};

using PlainLink = StreamLink<tcp::socket>;

class TlsLink final : public StreamLink<asio::ssl::stream<tcp::socket>> {
 public:
  TlsLink(asio::io_context& context, asio::ssl::context& tls, std::string host)
      : StreamLink(context, tls), host_(std::move(host)) {}

 private:
  asio::awaitable<std::string> greet() override {
    error_code error;
    asio::ip::make_address(host_, error);
    if (error) SSL_set_tlsext_host_name(stream_.native_handle(), host_.c_str());
    stream_.set_verify_callback(asio::ssl::host_name_verification(host_));
    co_await stream_.async_handshake(asio::ssl::stream_base::client,
                                     asio::redirect_error(asio::use_awaitable, error));
    const long verdict = SSL_get_verify_result(stream_.native_handle());
    if (error && verdict != X509_V_OK)
      co_return std::string("certificate verify failed: ") + X509_verify_cert_error_string(verdict);
    co_return text_of(error);
  }

  const std::string host_;
};

}  // namespace

std::shared_ptr<Link> make_link(asio::io_context& context, asio::ssl::context& tls,
                                const Endpoint& endpoint) {
  switch (endpoint.transport) {
    case Endpoint::Transport::Udp: return std::make_shared<DatagramLink>(context);
    case Endpoint::Transport::Tcp: return std::make_shared<PlainLink>(context);
    case Endpoint::Transport::Tls: break;
  }
  return std::make_shared<TlsLink>(context, tls, endpoint.host);
}

}  // namespace mp::syslog
