// One way to one syslog server: datagrams (RFC 5426), a TCP connection with octet counting
// (RFC 6587) or one within TLS (RFC 5425). Used by destination.cpp alone, on the relay's thread.
// Faults are texts: nothing here throws.
#pragma once

#include "syslog/endpoint.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/context.hpp>

#include <memory>
#include <string>
#include <vector>

namespace mp::syslog {

struct Place {
  boost::asio::ip::address address;
  unsigned short port = 0;
};

class Link : public std::enable_shared_from_this<Link> {
 public:
  virtual ~Link() = default;
  // Empty, or why there is no connection.
  virtual boost::asio::awaitable<std::string> open(Place place) = 0;
  // All of them, in order; empty, or why not. A link that failed is of no further use.
  virtual boost::asio::awaitable<std::string> send(const std::vector<std::string>& records) = 0;
  virtual void close() = 0;

  // Why the other side is gone; empty while nothing is known of that.
  const std::string& fault() const { return fault_; }

 protected:
  std::string fault_;
};

// `tls` must outlive the link.
std::shared_ptr<Link> make_link(boost::asio::io_context& context, boost::asio::ssl::context& tls,
                                const Endpoint& endpoint);

}  // namespace mp::syslog
