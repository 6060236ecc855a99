#include "xds/intent.hpp"

#include "xds/address.hpp"
#include "xds/upstream_tls.hpp"

#include <algorithm>

namespace mp::xds {
namespace {

bool speaks(const Mapping& mapping, Protocol protocol) {
  return std::ranges::find(mapping.protocols, protocol) != mapping.protocols.end();
}

std::string quoted(const std::string& name) { return "\"" + name + "\""; }

// An IP address as it stands in a domain.
bool is_address(const std::string& domain) { return domain.starts_with('[') || is_literal(domain); }

// Writes one plan.
class Planner {
 public:
  Planner(const std::shared_ptr<const Mapping>& mapping, const Surroundings& surroundings)
      : mapping_(*mapping),
        keyring_(surroundings.keyring),
        cluster_(surroundings.cluster),
        plan_(std::make_shared<Plan>()),
        sources_(surroundings.directory.resolve(mapping->source_services)),
        targets_(surroundings.directory.resolve(mapping->dest_services)) {
    plan_->mapping = mapping;
  }

  PlanPtr write() && {
    if (speaks(mapping_, Protocol::Icmp)) {
      find(Condition::Unsupported,
           "icmp has no form in Envoy; only proxies that read GET /config carry it");
    }
    if (sources_.empty() && !has_any(mapping_.source_services)) {
      find(Condition::Warning, "None of the sources exists any more, so that nobody may pass");
    } else if (targets_.empty()) {
      find(Condition::Warning,
           "None of the destinations exists any more, so that nothing is opened");
    } else {
      claim();
    }
    std::ranges::sort(plan_->findings);
    return plan_;
  }

 private:
  // A domain with the services that it leads to.
  struct Way {
    std::string domain;
    std::int64_t service = 0;  // 0: all of the mapping
    Parties targets;
  };

  void find(Condition condition, std::string message) {
    Finding finding{object_of(mapping_), condition, std::move(message)};
    if (std::ranges::find(plan_->findings, finding) == plan_->findings.end())
      plan_->findings.push_back(std::move(finding));
  }

  void claim() {
    ports_ = all_ports(mapping_);
    ways_ = find_ways();
    if (speaks(mapping_, Protocol::Http) || speaks(mapping_, Protocol::Ws)) {
      for (const Way& way : ways_) claim_http(way, Security::Plain);
    }
    if (speaks(mapping_, Protocol::Https) || speaks(mapping_, Protocol::Wss)) claim_tls();
    if (speaks(mapping_, Protocol::Tcp)) claim_tcp();
    if (speaks(mapping_, Protocol::Udp)) {
      const auto guard = guard_for(targets_, Carrier::Udp);
      if (!guard->nobody()) claim_streams(guard, {.carrier = Carrier::Udp});
    }
  }

  // Services answer to their own names; the hosts are answered by all of them together.
  std::vector<Way> find_ways() const {
    std::vector<Way> ways;
    for (const PartyPtr& target : targets_) {
      const Service& service = *target->service;
      const std::string name = domain_of(service.name), address = domain_of(service.ip_fqdn);
      ways.push_back({name, service.id, {target}});
      if (address != name) ways.push_back({address, service.id, {target}});
    }
    for (const std::string& host : mapping_.hosts) ways.push_back({domain_of(host), 0, targets_});
    return ways;
  }

  void deny(const Verdict& verdict, Carrier carrier, Condition condition) {
    const bool denied = verdict.guard.nobody();
    for (std::string reason : verdict.reasons) {
      if (denied) reason += ": " + std::string(name_of(carrier)) + " is denied";
      find(denied ? condition : Condition::Warning, std::move(reason));
    }
  }

  // With source `any` and auth_required the credential is the destination's own, so that each has
  // its guard.
  std::shared_ptr<const Guard> guard_for(const Parties& targets, Carrier carrier,
                                         Condition when_denied = Condition::Unsupported) {
    Verdict verdict = judge(mapping_, sources_, targets, carrier);
    deny(verdict, carrier, when_denied);
    return std::make_shared<const Guard>(std::move(verdict.guard));
  }

  UpstreamPtr upstream_for(const Parties& targets, int port, Wire wire) {
    const bool single = targets.size() == 1;
    Upstream upstream{
        .port = port,
        .wire = wire_of(targets, port, wire),
        .targets = targets,
        .origin = single ? object_of(*targets.front()->service) : object_of(mapping_)};
    upstream.name = upstream.origin.type + "/" + std::to_string(upstream.origin.id) + "/" +
                    std::to_string(port);
    if (upstream.wire == Wire::Secured) upstream.name += "/tls";
    if (upstream.wire == Wire::Untouched) upstream.name += "/untouched";
    for (const UpstreamPtr& known : plan_->upstreams) {
      if (known->name == upstream.name) return known;
    }
    plan_->upstreams.push_back(std::make_shared<const Upstream>(std::move(upstream)));
    return plan_->upstreams.back();
  }

  void claim_http(const Way& way, Security security) {
    const auto guard = guard_for(way.targets, Carrier::Http);
    const Wire wire = security == Security::Tls ? Wire::Secured : Wire::AsConfigured;
    for (const int port : ports_) {
      plan_->http.push_back({.rank = {mapping_.priority, mapping_.id, way.service},
                             .port = port,
                             .security = security,
                             .domain = way.domain,
                             .mapping = plan_->mapping,
                             .guard = guard,
                             .upstream = upstream_for(way.targets, port, wire)});
    }
  }

  // TLS is ended for the names that have a certificate. Others are passed through: hosts one by
  // one, a service's own names when it is known by no certificate at all. Nobody sends an address
  // as the name of a server (RFC 6066 §3).
  void claim_tls() {
    std::map<std::int64_t, std::set<std::int64_t>> known;  // certificates by service, 0 for hosts
    std::vector<const Way*> unproved;
    for (const Way& way : ways_) {
      if (is_address(way.domain)) continue;
      plan_->proofs.push_back(way.domain);
      const Keyring::Proof proof = keyring_.prove(way.domain);
      if (!proof.certificates.empty()) claim_http(way, Security::Tls);
      if (!proof.whole) unproved.push_back(&way);
      if (!proof.certificates.empty())
        known[way.service].insert(proof.certificates.begin(), proof.certificates.end());
    }
    end_tls(known);
    const Condition denied = known.empty() ? Condition::Unsupported : Condition::Warning;
    for (const Way* way : unproved) {
      const bool own = way->service != 0;
      if (!own || (!known.contains(way->service) && !known.contains(0))) pass(*way, denied);
    }
  }

  void end_tls(const std::map<std::int64_t, std::set<std::int64_t>>& known) {
    std::set<std::int64_t> certificates;
    for (const auto& [service, theirs] : known) certificates.insert(theirs.begin(), theirs.end());
    for (const std::int64_t certificate : certificates) {
      for (const int port : ports_) {
        plan_->certificates.push_back(
            {.port = port, .certificate = certificate, .mapping = plan_->mapping});
      }
    }
  }

  void pass(const Way& way, Condition when_denied) {
    if (const std::string lapse = keyring_.lapse(way.domain); !lapse.empty()) {
      find(Condition::Warning,
           "TLS for " + quoted(way.domain) + " is passed through untouched: " + lapse);
    }
    const auto guard = guard_for(way.targets, Carrier::Tls, when_denied);
    if (guard->nobody()) return;
    claim_streams(
        guard,
        {.rank = {.service = way.service}, .carrier = Carrier::Tls, .server_name = way.domain},
        way.targets);
  }

  // Callers that prove themselves by certificate need a server to prove itself to.
  void claim_tcp() {
    Verdict verdict = judge(mapping_, sources_, targets_, Carrier::Tcp);
    StreamClaim claim{.carrier = Carrier::Tcp};
    if (!verdict.guard.certificates.empty()) {
      plan_->by_issuers = true;
      claim.certificate = server_certificate();
      for (const PartyPtr& party : verdict.guard.certificates)
        claim.callers.push_back(spiffe_id(cluster_, *party->service));
      if (!claim.certificate) {
        verdict.guard.certificates.clear();
        verdict.reasons.push_back(
            "Over tcp callers prove themselves by a client certificate, for which a destination's "
            "name or address needs a certificate");
      }
    }
    deny(verdict, Carrier::Tcp, Condition::Unsupported);
    const auto guard = std::make_shared<const Guard>(std::move(verdict.guard));
    if (!guard->nobody()) claim_streams(guard, claim);
  }

  // What proves the first of the destinations' names that has a certificate; none without an
  // authority that certifies callers.
  std::optional<std::int64_t> server_certificate() {
    std::optional<std::int64_t> found;
    for (const PartyPtr& target : targets_) {
      for (const std::string& name : {target->service->name, target->service->ip_fqdn}) {
        plan_->proofs.push_back(is_literal(name) ? name : domain_of(name));
        const Keyring::Proof proof = keyring_.prove(plan_->proofs.back());
        if (!found && proof.whole) found = proof.certificates.front();
      }
    }
    return keyring_.issuers().empty() ? std::nullopt : found;
  }

  void claim_streams(const std::shared_ptr<const Guard>& guard, StreamClaim claim) {
    claim_streams(guard, std::move(claim), targets_);
  }

  void claim_streams(const std::shared_ptr<const Guard>& guard, StreamClaim claim,
                     const Parties& targets) {
    claim.rank.priority = mapping_.priority;
    claim.rank.mapping = mapping_.id;
    claim.mapping = plan_->mapping;
    claim.guard = guard;
    for (const int port : ports_) {
      claim.port = port;
      claim.upstream = upstream_for(
          targets, port, claim.carrier == Carrier::Tls ? Wire::Untouched : Wire::AsConfigured);
      plan_->streams.push_back(claim);
    }
  }

  const Mapping& mapping_;
  const Keyring& keyring_;
  const std::string& cluster_;
  std::shared_ptr<Plan> plan_;
  Parties sources_;
  Parties targets_;
  std::vector<int> ports_;
  std::vector<Way> ways_;
};

}  // namespace

Object object_of(const Mapping& mapping) {
  return {.type = "mapping", .id = mapping.id, .name = "mapping " + std::to_string(mapping.id)};
}

Object object_of(const Service& service) {
  return {.type = "service", .id = service.id, .name = service.name};
}

Object object_of(const Certificate& certificate) {
  return {.type = "certificate", .id = certificate.id, .name = certificate.name};
}

bool allows_upgrade(const HttpClaim& claim) {
  return speaks(*claim.mapping, claim.security == Security::Tls ? Protocol::Wss : Protocol::Ws);
}

PlanPtr make_plan(const std::shared_ptr<const Mapping>& mapping, const Surroundings& surroundings) {
  return Planner(mapping, surroundings).write();
}

std::string spiffe_id(const std::string& cluster, const Service& service) {
  return "spiffe://marchproxy/" + cluster + "/" + service.name;
}

}  // namespace mp::xds
