#include "xds/port.hpp"

namespace mp::xds {
namespace {

TcpPort::Http reading_of(const Domains& domains) {
  if (domains.empty()) return TcpPort::Http::None;
  return domains.by_path() ? TcpPort::Http::ByPath : TcpPort::Http::WholeHosts;
}

}  // namespace

Port::Port(Transport transport, int number, const Audience& audience)
    : transport_(transport),
      number_(number),
      audience_(audience),
      in_clear_(number, Security::Plain, audience),
      within_tls_(number, Security::Tls, audience) {}

void Port::count_in(const Mapping& mapping) { ++mappings_[{mapping.priority, mapping.id}]; }

void Port::count_out(const Mapping& mapping) {
  const auto at = mappings_.find({mapping.priority, mapping.id});
  if (--at->second == 0) mappings_.erase(at);
}

void Port::add(const HttpClaim& claim) {
  domains(claim).add(claim);
  count_in(*claim.mapping);
}

void Port::remove(const HttpClaim& claim) {
  domains(claim).remove(claim);
  count_out(*claim.mapping);
}

void Port::add(const StreamClaim& claim) {
  streams_[claim.server_name].claims.insert(&claim);
  touched_.insert(claim.server_name);
  count_in(*claim.mapping);
}

void Port::remove(const StreamClaim& claim) {
  streams_[claim.server_name].claims.erase(&claim);
  touched_.insert(claim.server_name);
  count_out(*claim.mapping);
}

void Port::add(const CertificateClaim& claim) {
  if (++certificates_[claim.certificate] == 1) changed_ = true;
  count_in(*claim.mapping);
}

void Port::remove(const CertificateClaim& claim) {
  const auto at = certificates_.find(claim.certificate);
  if (--at->second == 0) {
    certificates_.erase(at);
    changed_ = true;
  }
  count_out(*claim.mapping);
}

bool Port::rename(std::int64_t certificate) {
  const bool concerned = certificates_.contains(certificate);
  changed_ = changed_ || concerned;
  return concerned;
}

Port::Shape Port::shape() const {
  const std::int64_t first = mappings_.empty() ? 0 : mappings_.begin()->first.second;
  return {first, reading_of(in_clear_), reading_of(within_tls_), in_clear_.tokens(),
          within_tls_.tokens()};
}

void Port::settle(Tally& findings) {
  for (const std::string& name : touched_) {
    const auto at = streams_.find(name);
    Contest& contest = at->second;
    contest.settlement = settle_streams({contest.claims.begin(), contest.claims.end()});
    findings.replace(contest.findings, contest.settlement.findings);
    contest.findings = contest.settlement.findings;
    if (contest.claims.empty()) streams_.erase(at);
  }
  changed_ = changed_ || !touched_.empty();
  touched_.clear();
}

void Port::remake(const Keyring& keyring, Shelves& shelves, Tally& findings) {
  in_clear_.remake(shelves, findings);
  within_tls_.remake(shelves, findings);
  settle(findings);
  const Shape next = shape();
  if (!changed_ && next == shape_) return;
  shape_ = next;
  changed_ = false;
  const Carrier carrier = transport_ == Transport::Udp ? Carrier::Udp : Carrier::Tcp;
  shelf(shelves, Type::Listener).put(listener_name(carrier, number_), make_listener(keyring));
}

// A refusal of the listener is blamed on the first mapping of the port.
ResourcePtr Port::make_listener(const Keyring& keyring) const {
  std::vector<Object> origins;
  if (!mappings_.empty()) {
    const std::int64_t first = mappings_.begin()->first.second;
    origins.push_back({.type = "mapping", .id = first, .name = "mapping " + std::to_string(first)});
  }
  const auto plain = streams_.find("");
  const StreamSettlement streams =
      plain == streams_.end() ? StreamSettlement() : plain->second.settlement;
  if (transport_ == Transport::Udp) {
    return make_udp_listener(audience_,
                             {.port = number_, .streams = streams, .origins = std::move(origins)});
  }
  TcpPort port{.port = number_,
               .http = reading_of(in_clear_),
               .https = reading_of(within_tls_),
               .http_tokens = in_clear_.tokens(),
               .https_tokens = within_tls_.tokens(),
               .streams = streams,
               .origins = std::move(origins)};
  for (const auto& [certificate, claims] : certificates_) {
    auto names = keyring.server_names(certificate);
    if (!names.empty()) port.ended.push_back({certificate, std::move(names)});
  }
  for (const auto& [name, contest] : streams_) {
    if (!name.empty()) port.passed.push_back({name, &contest.settlement});
  }
  return make_tcp_listener(audience_, port);
}

}  // namespace mp::xds
