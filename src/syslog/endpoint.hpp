// Where a cluster's records go, as its `syslog_endpoint` says it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mp::syslog {

struct Endpoint {
  // RFC 5426; RFC 6587 with octet counting; RFC 5425.
  enum class Transport { Udp, Tcp, Tls };
  Transport transport = Transport::Udp;
  std::string host;  // without brackets
  std::string port;
  bool operator==(const Endpoint&) const = default;
};

// "host:port", "udp://host:port", "tcp://host:port", "tls://host:port"; IPv6 in brackets. nullopt
// for anything else. Hosts and ports are taken as they are: they were checked when they were
// written.
std::optional<Endpoint> read_endpoint(std::string_view text);

}  // namespace mp::syslog
