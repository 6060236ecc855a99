#include "xds/listener.hpp"

#include "xds/access_log.hpp"
#include "xds/address.hpp"
#include "xds/downstream_tls.hpp"
#include "xds/encode.hpp"
#include "xds/http_manager.hpp"
#include "xds/secret.hpp"

#include "envoy/config/listener/v3/listener.pb.h"
#include "envoy/extensions/filters/listener/http_inspector/v3/http_inspector.pb.h"
#include "envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector.pb.h"
#include "envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.pb.h"
#include "envoy/extensions/filters/udp/udp_proxy/v3/route.pb.h"
#include "envoy/extensions/filters/udp/udp_proxy/v3/udp_proxy.pb.h"
#include "envoy/extensions/matching/common_inputs/network/v3/network_inputs.pb.h"

#include <algorithm>

namespace mp::xds {
namespace {

using envoy::config::listener::v3::FilterChain;
using envoy::config::listener::v3::Listener;
using envoy::extensions::filters::listener::http_inspector::v3::HttpInspector;
using envoy::extensions::filters::listener::tls_inspector::v3::TlsInspector;
using envoy::extensions::filters::network::tcp_proxy::v3::TcpProxy;
using envoy::extensions::filters::udp::udp_proxy::v3::Route;
using envoy::extensions::filters::udp::udp_proxy::v3::UdpProxyConfig;
using envoy::extensions::matching::common_inputs::network::v3::SourceIPInput;
using OnMatch = ::xds::type::matcher::v3::Matcher::OnMatch;

constexpr unsigned buffer_limit = 32768;         // bytes a connection
constexpr int inspection_timeout = 300'000'000;  // nanoseconds
constexpr std::string_view tls_transport = "tls", plain_transport = "raw_buffer";
constexpr int tcp_idle = 3600, udp_idle = 60;  // seconds

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

void fill_tcp_chain(FilterChain& chain, const StreamClaim& claim, const Logging& logging) {
  TcpProxy proxy;
  proxy.set_stat_prefix(std::string(name_of(claim.carrier)) + "_" + std::to_string(claim.port));
  proxy.set_cluster(claim.upstream->name);
  proxy.mutable_idle_timeout()->set_seconds(tcp_idle);
  proxy.mutable_max_connect_attempts()->set_value(3);
  log_connections(*proxy.mutable_access_log(), chain, claim, logging);
  chain.set_name(claim.upstream->name);
  auto& filter = *chain.add_filters();
  filter.set_name("envoy.filters.network.tcp_proxy");
  *filter.mutable_typed_config() = pack(proxy);
  if (claim.certificate) end_mutual_tls(chain, *claim.certificate, claim.callers);
}

void match_sources(FilterChain& chain, const std::vector<std::string>& addresses) {
  for (const std::string& address : addresses) {
    auto& range = *chain.mutable_filter_chain_match()->add_source_prefix_ranges();
    range.set_address_prefix(address);
    range.mutable_prefix_len()->set_value(prefix_length(address));
  }
}

// Callers that prove themselves by their address come as they are.
void fill_share_chain(FilterChain& chain, const StreamSettlement::Share& share,
                      const Logging& logging) {
  StreamClaim claim = *share.claim;
  claim.certificate = std::nullopt;
  fill_tcp_chain(chain, claim, logging);
  chain.set_name(chain.name() + "/" + object_of(*claim.mapping).name);
  match_sources(chain, share.addresses);
}

// Builds the chains of a TCP port. Envoy compares name, transport, application protocol and source
// in this order and does not come back from a branch it took; what no chain fits goes to the
// default one.
class Chains {
 public:
  Chains(Listener& listener, const Audience& audience, const TcpPort& port)
      : listener_(listener), audience_(audience), port_(port) {}

  void add() {
    for (const TcpPort::Ended& ended : port_.ended) add_ended(ended);
    for (const TcpPort::Passed& passed : port_.passed) add_passed(passed);
    if (port_.http != TcpPort::Http::None) add_http();
    add_tcp();
    inspect();
    if (turns_away()) log_turned_away(*listener_.mutable_access_log(), audience_.logging);
  }

 private:
  bool tls() const { return !port_.ended.empty() || !port_.passed.empty(); }
  bool tcp() const { return port_.streams.rest || !port_.streams.shares.empty(); }
  // Some callers are known by their addresses, and for others there is no chain.
  bool turns_away() const {
    const auto by_address = [](const StreamSettlement& streams) { return !streams.shares.empty(); };
    return !listener_.has_default_filter_chain() &&
           (by_address(port_.streams) || std::ranges::any_of(port_.passed, [&](const auto& passed) {
              return by_address(*passed.streams);
            }));
  }
  bool tells_http() const { return tcp() && port_.http != TcpPort::Http::None; }

  void manage_http(FilterChain& chain, Security security) {
    auto& filter = *chain.add_filters();
    filter.set_name("envoy.filters.network.http_connection_manager");
    *filter.mutable_typed_config() = pack(make_http_manager(port_, security, audience_));
  }

  void add_ended(const TcpPort::Ended& ended) {
    FilterChain& chain = *listener_.add_filter_chains();
    chain.set_name(certificate_secret(ended.certificate));
    auto& match = *chain.mutable_filter_chain_match();
    match.set_transport_protocol(std::string(tls_transport));
    for (const std::string& name : ended.server_names) match.add_server_names(name);
    manage_http(chain, Security::Tls);
    end_tls(chain, ended.certificate);
  }

  void match_tls(FilterChain& chain, const std::string& server_name) {
    chain.set_name("tls/" + server_name + "/" + chain.name());
    auto& match = *chain.mutable_filter_chain_match();
    match.set_transport_protocol(std::string(tls_transport));
    if (server_name != "*") match.add_server_names(server_name);
  }

  void add_passed(const TcpPort::Passed& passed) {
    for (const StreamSettlement::Share& share : passed.streams->shares) {
      FilterChain& chain = *listener_.add_filter_chains();
      fill_share_chain(chain, share, audience_.logging);
      match_tls(chain, passed.server_name);
    }
    if (!passed.streams->rest) return;
    FilterChain& chain = *listener_.add_filter_chains();
    fill_tcp_chain(chain, *passed.streams->rest, audience_.logging);
    match_tls(chain, passed.server_name);
  }

  // Without a match the chain is for every connection of its port that no other chain takes.
  void add_http() {
    FilterChain& chain = *listener_.add_filter_chains();
    chain.set_name("http");
    manage_http(chain, Security::Plain);
    if (tls()) {
      chain.mutable_filter_chain_match()->set_transport_protocol(std::string(plain_transport));
    }
    if (!tells_http()) return;
    for (const char* protocol : {"http/1.0", "http/1.1", "h2c"})
      chain.mutable_filter_chain_match()->add_application_protocols(protocol);
  }

  // The claim that takes all callers which no share names; callers of a share by address come
  // first, in clear or with TLS inside that nobody claims.
  void add_tcp() {
    const bool takes_tls = std::ranges::none_of(
        port_.passed, [](const auto& passed) { return passed.server_name == "*"; });
    for (const StreamSettlement::Share& share : port_.streams.shares) {
      fill_share_chain(*listener_.add_filter_chains(), share, audience_.logging);
      if (!tls()) continue;
      FilterChain& plain = *listener_.mutable_filter_chains()->rbegin();
      plain.mutable_filter_chain_match()->set_transport_protocol(std::string(plain_transport));
      if (!takes_tls) continue;
      FilterChain& within = *listener_.add_filter_chains();
      fill_share_chain(within, share, audience_.logging);
      within.set_name(within.name() + "/tls");
      within.mutable_filter_chain_match()->set_transport_protocol(std::string(tls_transport));
    }
    if (port_.streams.rest)
      fill_tcp_chain(*listener_.mutable_default_filter_chain(), *port_.streams.rest,
                     audience_.logging);
  }

  // HTTP and TLS are told from other protocols by their first bytes. A silent client waits for the
  // server to speak first, which is neither: after a moment it is given to the TCP chain.
  void inspect() {
    if (tls()) add_inspector("envoy.filters.listener.tls_inspector", TlsInspector());
    if (tells_http()) add_inspector("envoy.filters.listener.http_inspector", HttpInspector());
    if (!tcp() || listener_.listener_filters().empty()) return;
    listener_.mutable_listener_filters_timeout()->set_nanos(inspection_timeout);
    listener_.set_continue_on_listener_filters_timeout(true);
  }

  void add_inspector(const char* name, const google::protobuf::Message& inspector) {
    auto& filter = *listener_.add_listener_filters();
    filter.set_name(name);
    *filter.mutable_typed_config() = pack(inspector);
  }

  Listener& listener_;
  const Audience& audience_;
  const TcpPort& port_;
};

OnMatch send_to(const StreamClaim& claim) {
  Route route;
  route.set_cluster(claim.upstream->name);
  OnMatch target;
  target.mutable_action()->set_name("route");
  *target.mutable_action()->mutable_typed_config() = pack(route);
  return target;
}

// Datagrams go by their source address; those that nothing is said about are dropped.
UdpProxyConfig make_udp_proxy(const UdpPort& port, const Logging& logging) {
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
  if (port.streams.rest) *matcher.mutable_on_no_match() = send_to(*port.streams.rest);
  log_sessions(*proxy.mutable_access_log(), port.streams, logging);
  return proxy;
}

}  // namespace

std::string listener_name(Carrier carrier, int port) {
  return std::string(carrier == Carrier::Udp ? "udp" : "tcp") + "/" + std::to_string(port);
}

ResourcePtr make_tcp_listener(const Audience& audience, const TcpPort& port) {
  Listener listener = base(audience, Carrier::Tcp, port.port);
  listener.mutable_per_connection_buffer_limit_bytes()->set_value(buffer_limit);
  Chains(listener, audience, port).add();
  if (listener.filter_chains().empty() && !listener.has_default_filter_chain()) return nullptr;
  return make_resource(listener.name(), pack(listener), port.origins);
}

ResourcePtr make_udp_listener(const Audience& audience, const UdpPort& port) {
  if (!port.streams.rest && port.streams.shares.empty()) return nullptr;
  Listener listener = base(audience, Carrier::Udp, port.port);
  listener.mutable_address()->mutable_socket_address()->set_protocol(
      envoy::config::core::v3::SocketAddress::UDP);
  listener.mutable_udp_listener_config();
  auto& filter = *listener.add_listener_filters();
  filter.set_name("envoy.filters.udp_listener.udp_proxy");
  *filter.mutable_typed_config() = pack(make_udp_proxy(port, audience.logging));
  return make_resource(listener.name(), pack(listener), port.origins);
}

}  // namespace mp::xds
