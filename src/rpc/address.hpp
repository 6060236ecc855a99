// Addresses as settings have them. Used by server and client.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace mp::rpc {

enum class Purpose { Listen, Connect };

// "203.0.113.5:18000", "[2001:db8::1]:18000" or "host:18000". Asks the system for names, and may
// block for that. Throws std::runtime_error; the list is never empty.
std::vector<boost::asio::ip::tcp::endpoint> resolve(std::string_view text, Purpose purpose);

// IPv4 as such, also where it came over IPv6.
std::string text_of(const boost::asio::ip::address& address);

}  // namespace mp::rpc
