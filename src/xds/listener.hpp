// The Envoy listener of one port: filter chains for HTTP, TLS and TCP, or a UDP proxy. Used by
// port.cpp. Knows no host and no secret, so that edits of routes and new certificates under the
// same names do not touch it; for clients that get route configurations it checks their tokens.
#pragma once

#include "xds/build.hpp"
#include "xds/claims.hpp"

namespace mp::xds {

struct TcpPort {
  // What paths mean on the port decides how ambiguous ones are treated.
  enum class Http { None, WholeHosts, ByPath };
  // TLS that is ended here.
  struct Ended {
    std::int64_t certificate = 0;
    std::vector<std::string> server_names;  // at least one; no name stands at two certificates
  };
  // TLS that is passed through.
  struct Passed {
    std::string server_name;  // or "*": every one that no other chain names, or none at all
    const StreamSettlement* streams = nullptr;
  };
  int port = 0;
  Http http = Http::None;     // in clear
  Http https = Http::None;    // within the TLS that is ended
  std::string http_tokens{};  // checks of tokens, encoded; empty: none
  std::string https_tokens{};
  std::vector<Ended> ended;
  std::vector<Passed> passed;
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
