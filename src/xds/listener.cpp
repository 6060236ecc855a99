#include "xds/listener.hpp"

#include "xds/address.hpp"
#include "xds/encode.hpp"
#include "xds/http_manager.hpp"

#include "envoy/config/listener/v3/listener.pb.h"
#include "envoy/extensions/filters/listener/http_inspector/v3/http_inspector.pb.h"
#include "envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.pb.h"
#include "envoy/extensions/filters/udp/udp_proxy/v3/route.pb.h"
#include "envoy/extensions/filters/udp/udp_proxy/v3/udp_proxy.pb.h"
#include "envoy/extensions/matching/common_inputs/network/v3/network_inputs.pb.h"

namespace mp::xds {
namespace {

using envoy::config::listener::v3::FilterChain;
using envoy::config::listener::v3::Listener;
using envoy::extensions::filters::listener::http_inspector::v3::HttpInspector;
using envoy::extensions::filters::network::tcp_proxy::v3::TcpProxy;
using envoy::extensions::filters::udp::udp_proxy::v3::Route;
using envoy::extensions::filters::udp::udp_proxy::v3::UdpProxyConfig;
using envoy::extensions::matching::common_inputs::network::v3::SourceIPInput;
using OnMatch = ::xds::type::matcher::v3::Matcher::OnMatch;

constexpr unsigned buffer_limit = 32768;         // bytes a connection
constexpr int inspection_timeout = 300'000'000;  // nanoseconds
constexpr int tcp_idle = 3600, udp_idle = 60;    // seconds

Listener base(const Audience& audience, Carrier carrier, int port) {
  Listener listener;
  listener.set_name(listener_name(carrier, port));
  auto& address = *listener.mutable_address()->mutable_socket_address();
  address.set_address(audience.listen_address);
  address.set_port_value(static_cast<unsigned>(port));
  if (audience.listen_address == "::") address.set_ipv4_compat(true);
  listener.set_traffic_direction(audience.type == ProxyType::Egress
                                     ? envoy::config::core::v3::OUTBOUND
                                     : envoy::config::core::v3::INBOUND);
  return listener;
}

// Without a match the chain is for every connection of its port that no other chain takes.
void fill_http_chain(FilterChain& chain, const Audience& audience, const TcpPort& port) {
  chain.set_name("http");
  auto& filter = *chain.add_filters();
  filter.set_name("envoy.filters.network.http_connection_manager");
  *filter.mutable_typed_config() = pack(make_http_manager(port, audience.flavour));
}

void fill_tcp_chain(FilterChain& chain, const StreamClaim& claim) {
  TcpProxy proxy;
  proxy.set_stat_prefix("tcp_" + std::to_string(claim.port));
  proxy.set_cluster(claim.upstream->name);
  proxy.mutable_idle_timeout()->set_seconds(tcp_idle);
  proxy.mutable_max_connect_attempts()->set_value(3);
  chain.set_name(claim.upstream->name);
  auto& filter = *chain.add_filters();
  filter.set_name("envoy.filters.network.tcp_proxy");
  *filter.mutable_typed_config() = pack(proxy);
}

void match_sources(FilterChain& chain, const std::vector<std::string>& addresses) {
  for (const std::string& address : addresses) {
    auto& range = *chain.mutable_filter_chain_match()->add_source_prefix_ranges();
    range.set_address_prefix(address);
    range.mutable_prefix_len()->set_value(prefix_length(address));
  }
}

// HTTP is told from other protocols by its first bytes. A silent client waits for the server to
// speak first, which is no HTTP: after a moment it is given to the TCP chain.
void inspect(Listener& listener, FilterChain& http) {
  auto& filter = *listener.add_listener_filters();
  filter.set_name("envoy.filters.listener.http_inspector");
  *filter.mutable_typed_config() = pack(HttpInspector());
  listener.mutable_listener_filters_timeout()->set_nanos(inspection_timeout);
  listener.set_continue_on_listener_filters_timeout(true);
  for (const char* protocol : {"http/1.0", "http/1.1", "h2c"}) {
    http.mutable_filter_chain_match()->add_application_protocols(protocol);
  }
}

// The claim that takes all callers which no share names; callers of a share by address come first.
void add_tcp_chains(Listener& listener, const StreamSettlement& streams) {
  for (const StreamSettlement::Share& share : streams.shares) {
    FilterChain& chain = *listener.add_filter_chains();
    fill_tcp_chain(chain, *share.claim);
    chain.set_name(chain.name() + "/" + object_of(*share.claim->mapping).name);
    match_sources(chain, share.addresses);
  }
  if (streams.open) fill_tcp_chain(*listener.mutable_default_filter_chain(), *streams.open);
}

OnMatch send_to(const StreamClaim& claim) {
  Route route;
  route.set_cluster(claim.upstream->name);
  OnMatch target;
  target.mutable_action()->set_name("route");
  *target.mutable_action()->mutable_typed_config() = pack(route);
  return target;
}

// Datagrams go by their source address; those that nothing is said about are dropped.
UdpProxyConfig make_udp_proxy(const UdpPort& port) {
  UdpProxyConfig proxy;
  proxy.set_stat_prefix("udp_" + std::to_string(port.port));
  proxy.mutable_idle_timeout()->set_seconds(udp_idle);
  auto& matcher = *proxy.mutable_matcher();
  if (!port.streams.shares.empty()) {
    auto& tree = *matcher.mutable_matcher_tree();
    tree.mutable_input()->set_name("envoy.matching.inputs.source_ip");
    *tree.mutable_input()->mutable_typed_config() = pack(SourceIPInput());
    auto& by_address = *tree.mutable_exact_match_map()->mutable_map();
    for (const StreamSettlement::Share& share : port.streams.shares) {
      for (const std::string& address : share.addresses)
        by_address[address] = send_to(*share.claim);
    }
  }
  if (port.streams.open) *matcher.mutable_on_no_match() = send_to(*port.streams.open);
  return proxy;
}

}  // namespace

std::string listener_name(Carrier carrier, int port) {
  return std::string(carrier == Carrier::Udp ? "udp" : "tcp") + "/" + std::to_string(port);
}

ResourcePtr make_tcp_listener(const Audience& audience, const TcpPort& port) {
  const bool http = port.http != TcpPort::Http::None;
  const bool tcp = port.streams.open || !port.streams.shares.empty();
  if (!http && !tcp) return nullptr;
  Listener listener = base(audience, Carrier::Tcp, port.port);
  listener.mutable_per_connection_buffer_limit_bytes()->set_value(buffer_limit);
  if (http) {
    FilterChain& chain = *listener.add_filter_chains();
    fill_http_chain(chain, audience, port);
    if (tcp) inspect(listener, chain);
  }
  add_tcp_chains(listener, port.streams);
  return make_resource(listener.name(), pack(listener), port.origins);
}

ResourcePtr make_udp_listener(const Audience& audience, const UdpPort& port) {
  if (!port.streams.open && port.streams.shares.empty()) return nullptr;
  Listener listener = base(audience, Carrier::Udp, port.port);
  listener.mutable_address()->mutable_socket_address()->set_protocol(
      envoy::config::core::v3::SocketAddress::UDP);
  listener.mutable_udp_listener_config();
  auto& filter = *listener.add_listener_filters();
  filter.set_name("envoy.filters.udp_listener.udp_proxy");
  *filter.mutable_typed_config() = pack(make_udp_proxy(port));
  return make_resource(listener.name(), pack(listener), port.origins);
}

}  // namespace mp::xds
