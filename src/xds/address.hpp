// What the translation asks about addresses and host names. Used by guard, intent and upstream.
// Resolves no names.
#pragma once

#include "model/service.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace mp::xds {

// An IPv4 or IPv6 address, as opposed to a name.
bool is_literal(std::string_view host);

// As it stands in a Host header without a port: lower case, IPv6 in brackets (RFC 3986 §3.2.2).
std::string domain_of(std::string_view host);

// 32 or 128.
unsigned prefix_length(std::string_view literal);

// One address to send to.
struct Target {
  std::string host;
  int port = 0;
  unsigned weight = 1;
};

// Where a service is reached: its endpoints, or else ip_fqdn. An endpoint's port counts before the
// service's, which counts before `mapped_port`.
std::vector<Target> targets_of(const Service& service, int mapped_port);

// Where a service calls from: the hosts of targets_of.
std::vector<std::string> hosts_of(const Service& service);

// All of its hosts are literal.
bool is_literal(const Service& service);

}  // namespace mp::xds
