// The Envoy listener of one port: filter chains for HTTP and TCP, or a UDP proxy. Used by port.cpp.
// Knows no host and no secret, so that edits of routes do not touch it.
#pragma once

#include "xds/build.hpp"
#include "xds/claims.hpp"

namespace mp::xds {

struct TcpPort {
  // What paths mean on the port decides how ambiguous ones are treated.
  enum class Http { None, WholeHosts, ByPath };
  int port = 0;
  Http http = Http::None;
  StreamSettlement streams;
  std::vector<Object> origins;
};

// Null when nobody could get in anyway.
ResourcePtr make_tcp_listener(const Audience& audience, const TcpPort& port);

struct UdpPort {
  int port = 0;
  StreamSettlement streams;
  std::vector<Object> origins;
};

// Null when nobody could get in anyway.
ResourcePtr make_udp_listener(const Audience& audience, const UdpPort& port);

std::string listener_name(Carrier carrier, int port);  // "tcp/80", "udp/53"

}  // namespace mp::xds
