#include "xds/passage.hpp"

#include "xds/address.hpp"

#include <algorithm>
#include <iterator>
#include <map>

namespace mp::xds {
namespace {

bool leads_to(const UpstreamPtr& upstream, std::int64_t service) {
  return std::ranges::any_of(
      upstream->targets, [&](const PartyPtr& target) { return target->service->id == service; });
}

bool names(const std::vector<ServiceRef>& refs, const Service& service) {
  return std::ranges::any_of(refs, [&](const ServiceRef& ref) {
    return ref.kind == ServiceRef::Kind::Collection ? ref.name == service.collection
                                                    : ref.service_id == service.id;
  });
}

bool names_caller(const Mapping& mapping, const PartyPtr& caller) {
  return has_any(mapping.source_services) ||
         (caller && names(mapping.source_services, *caller->service));
}

// Where the mapping admits holders of the destination's credential, anybody may be one. Otherwise a
// caller has no credential but his own.
bool may_hold(const Mapping& mapping, const PartyPtr& credential, const PartyPtr& caller) {
  return has_any(mapping.source_services) ||
         (caller && credential->service->id == caller->service->id);
}

std::vector<Proof> proofs_of(const Guard& guard, const Mapping& mapping, const PartyPtr& caller) {
  if (guard.open()) return {Proof{}};
  std::vector<Proof> proofs;
  if (caller) {
    Proof proof{.kind = Proof::Kind::Address, .of = caller};
    for (const std::string& host : hosts_of(*caller->service)) {
      if (std::ranges::binary_search(guard.addresses, host)) proof.addresses.push_back(host);
    }
    if (!proof.addresses.empty()) proofs.push_back(std::move(proof));
  }
  const auto add = [&](const Parties& parties, Proof::Kind kind) {
    for (const PartyPtr& party : parties) {
      if (may_hold(mapping, party, caller)) proofs.push_back({.kind = kind, .of = party});
    }
  };
  add(guard.tokens, Proof::Kind::Token);
  add(guard.keys, Proof::Kind::Key);
  add(guard.certificates, Proof::Kind::Certificate);
  return proofs;
}

template <class Claim>
void by_rank(std::vector<const Claim*>& claims) {
  std::ranges::sort(claims, {}, &Claim::rank);
}

class Walk {
 public:
  Walk(const Journey& journey, const Keyring& keyring, const PartyPtr& caller)
      : journey_(journey), keyring_(keyring), caller_(caller) {}

  void through(const std::vector<const HttpClaim*>& claims) {
    std::map<std::string, std::vector<const HttpClaim*>> domains;
    for (const HttpClaim* claim : claims) domains[claim->domain].push_back(claim);
    for (auto& [domain, rivals] : domains) {
      by_rank(rivals);
      const HttpSettlement settlement = settle_http(rivals);
      for (const HttpRoute& route : settlement.routes) {
        take(domain, route);
        for (const HttpClaim* claim : rivals) note_loss(*claim, route);
      }
    }
  }

  void through(const std::vector<const StreamClaim*>& claims) {
    std::map<std::string, std::vector<const StreamClaim*>> servers;
    for (const StreamClaim* claim : claims) servers[claim->server_name].push_back(claim);
    for (auto& [name, rivals] : servers) {
      by_rank(rivals);
      const StreamSettlement settlement = settle_streams(rivals);
      std::ranges::copy(settlement.findings, std::back_inserter(passages_.shadowed));
      for (const auto& share : settlement.shares) take(*share.claim, share.addresses);
      if (settlement.rest) take_rest(settlement);
    }
  }

  Passages result() && { return std::move(passages_); }

 private:
  // A claim that leads there and lost to the route, in the settlement's own words; told of the
  // mapping, whoever claimed.
  void note_loss(const HttpClaim& claim, const HttpRoute& route) {
    if (!leads_to(claim.upstream, journey_.to) ||
        claim.mapping->path_prefix != route.first().mapping->path_prefix)
      return;
    for (Finding& finding : settle_http({&route.first(), &claim}).findings) {
      if (finding.condition == Condition::Shadowed)
        passages_.shadowed.push_back(
            {object_of(*claim.mapping), Condition::Shadowed, std::move(finding.message)});
    }
  }

  // One claim of many lets him in: an upgrade only where its mapping has it.
  void take(const std::string& domain, const HttpRoute& route) {
    if (!leads_to(route.first().upstream, journey_.to)) return;
    const bool upgrade = journey_.protocol == Protocol::Ws || journey_.protocol == Protocol::Wss;
    for (const HttpClaim* claim : route.claims) {
      if (upgrade && !allows_upgrade(*claim)) continue;
      Way way{.mapping = claim->mapping,
              .domains = {domain},
              .path_prefix = claim->mapping->path_prefix,
              .upstream = claim->upstream->origin};
      if (claim->security == Security::Tls) {
        way.tls = Way::Tls::Ended;
        way.certificates = keyring_.prove(domain).certificates;
      }
      add(std::move(way), *claim->guard);
    }
  }

  // Those who come from the addresses.
  void take(const StreamClaim& claim, const std::vector<std::string>& addresses) {
    if (leads_to(claim.upstream, journey_.to))
      add(way_of(claim), Guard{.kind = Guard::Kind::Named, .addresses = addresses});
  }

  // All others.
  void take_rest(const StreamSettlement& settlement) {
    const StreamClaim& claim = *settlement.rest;
    if (!leads_to(claim.upstream, journey_.to)) return;
    Guard guard = *claim.guard;
    guard.addresses.clear();
    if (is_taken(settlement)) guard = Guard();
    add(way_of(claim), guard);
  }

  // Wherever the caller comes from, somebody else has the address.
  bool is_taken(const StreamSettlement& settlement) const {
    if (!caller_ || !is_literal(*caller_->service)) return false;
    return std::ranges::all_of(hosts_of(*caller_->service), [&](const std::string& host) {
      return std::ranges::any_of(settlement.shares, [&](const auto& share) {
        return std::ranges::find(share.addresses, host) != share.addresses.end();
      });
    });
  }

  static Way way_of(const StreamClaim& claim) {
    Way way{.mapping = claim.mapping, .upstream = claim.upstream->origin};
    if (!claim.server_name.empty()) way.domains = {claim.server_name};
    if (claim.carrier == Carrier::Tls) way.tls = Way::Tls::PassedThrough;
    if (claim.certificate) {
      way.tls = Way::Tls::Ended;
      way.certificates = {*claim.certificate};
    }
    return way;
  }

  void add(Way way, const Guard& guard) {
    way.proofs = proofs_of(guard, *way.mapping, caller_);
    way.names_caller = names_caller(*way.mapping, caller_);
    if (way.proofs.empty()) {
      auto& shut = passages_.shut;
      if (std::ranges::find(shut, way.mapping) == shut.end()) shut.push_back(way.mapping);
      return;
    }
    for (Way& known : passages_.ways) {
      if (!alike(known, way)) continue;
      known.domains.insert(known.domains.end(), way.domains.begin(), way.domains.end());
      return;
    }
    passages_.ways.push_back(std::move(way));
  }

  // But for the name that is asked for.
  static bool alike(const Way& left, const Way& right) {
    return left.mapping == right.mapping && left.tls == right.tls &&
           left.certificates == right.certificates && left.proofs == right.proofs &&
           left.upstream == right.upstream;
  }

  const Journey& journey_;
  const Keyring& keyring_;
  const PartyPtr& caller_;
  Passages passages_;
};

std::vector<const StreamClaim*> carried(const std::vector<const StreamClaim*>& claims,
                                        Carrier carrier) {
  std::vector<const StreamClaim*> chosen;
  std::ranges::copy_if(claims, std::back_inserter(chosen),
                       [&](const StreamClaim* claim) { return claim->carrier == carrier; });
  return chosen;
}

}  // namespace

Claims claims_on(std::span<const PlanPtr> plans, int port) {
  Claims claims;
  for (const PlanPtr& plan : plans) {
    for (const HttpClaim& claim : plan->http) {
      if (claim.port == port)
        (claim.security == Security::Tls ? claims.within_tls : claims.plain).push_back(&claim);
    }
    for (const StreamClaim& claim : plan->streams) {
      if (claim.port == port) claims.streams.push_back(&claim);
    }
  }
  return claims;
}

Passages passages(const Claims& claims, const Journey& journey, const Keyring& keyring,
                  const PartyPtr& caller) {
  Walk walk(journey, keyring, caller);
  switch (journey.protocol) {
    case Protocol::Http:
    case Protocol::Ws: walk.through(claims.plain); break;
    case Protocol::Https:
    case Protocol::Wss:
      walk.through(claims.within_tls);
      walk.through(carried(claims.streams, Carrier::Tls));
      break;
    case Protocol::Tcp: walk.through(carried(claims.streams, Carrier::Tcp)); break;
    case Protocol::Udp: walk.through(carried(claims.streams, Carrier::Udp)); break;
    case Protocol::Icmp: break;
  }
  return std::move(walk).result();
}

}  // namespace mp::xds
