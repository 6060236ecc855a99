#include "syslog/endpoint.hpp"

#include <array>
#include <utility>

namespace mp::syslog {
namespace {

using Transport = Endpoint::Transport;
constexpr std::array<std::pair<std::string_view, Transport>, 3> schemes{
    {{"udp://", Transport::Udp}, {"tcp://", Transport::Tcp}, {"tls://", Transport::Tls}}};

}  // namespace

std::optional<Endpoint> read_endpoint(std::string_view text) {
  Endpoint endpoint;
  for (const auto& [scheme, transport] : schemes) {
    if (!text.starts_with(scheme)) continue;
    endpoint.transport = transport;
    text.remove_prefix(scheme.size());
    break;
  }
  const auto colon = text.rfind(':');
  if (colon == text.npos || colon == 0 || colon + 1 == text.size()) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  endpoint.host = host;
  endpoint.port = text.substr(colon + 1);
  return endpoint;
}

}  // namespace mp::syslog
