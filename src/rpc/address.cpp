#include "rpc/address.hpp"

#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <stdexcept>

namespace mp::rpc {

namespace asio = boost::asio;
using asio::ip::tcp;

std::vector<tcp::endpoint> resolve(std::string_view text, Purpose purpose) {
  const auto colon = text.rfind(':');
  if (colon == text.npos || colon == 0)
    throw std::runtime_error("\"" + std::string(text) + "\" is not an address and a port");
  auto host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  asio::io_context context;
  tcp::resolver resolver{context};
  auto flags = tcp::resolver::numeric_service;
  if (purpose == Purpose::Listen) flags = flags | tcp::resolver::passive;
  boost::system::error_code error;
  const auto found =
      resolver.resolve(std::string(host), std::string(text.substr(colon + 1)), flags, error);
  if (error) throw std::runtime_error(error.message());
  std::vector<tcp::endpoint> list;
  for (const auto& each : found) {
    if (std::ranges::find(list, each.endpoint()) == list.end()) list.push_back(each.endpoint());
  }
  if (list.empty()) throw std::runtime_error("no address");
  return list;
}

std::string text_of(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  return address.to_string();
}

}  // namespace mp::rpc
