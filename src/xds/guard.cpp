#include "xds/guard.hpp"

#include "xds/address.hpp"

#include <algorithm>

namespace mp::xds {
namespace {

void add_addresses(Guard& guard, const Service& service) {
  for (std::string& host : hosts_of(service)) {
    if (is_literal(host)) guard.addresses.push_back(std::move(host));
  }
}

void settle(Guard& guard) {
  std::ranges::sort(guard.addresses);
  const auto repeated = std::ranges::unique(guard.addresses);
  guard.addresses.erase(repeated.begin(), repeated.end());
}

std::string quoted(const Service& service) { return "service \"" + service.name + "\""; }

void admit_by_address(Verdict& verdict, const Service& service) {
  add_addresses(verdict.guard, service);
  if (is_literal(service)) return;
  verdict.reasons.push_back("The source " + quoted(service) +
                            " is known by name, and a name proves nothing about a caller");
}

void admit_by_credential(Verdict& verdict, const PartyPtr& party) {
  const Service& service = *party->service;
  if (!service.secret || service.secret->empty()) {
    verdict.reasons.push_back("The " + quoted(service) + " has no credential yet");
  } else if (service.auth_type == AuthType::Jwt) {
    verdict.guard.tokens.push_back(party);
  } else {
    verdict.guard.keys.push_back(party);
  }
}

void admit_source(Verdict& verdict, const PartyPtr& party, Carrier carrier) {
  const Service& service = *party->service;
  if (service.auth_type == AuthType::None || carrier == Carrier::Udp) {
    admit_by_address(verdict, service);
  } else if (carrier == Carrier::Http) {
    admit_by_credential(verdict, party);
  } else if (carrier == Carrier::Tcp) {
    verdict.guard.certificates.push_back(party);
  } else {
    verdict.reasons.push_back("The source " + quoted(service) +
                              " cannot prove itself in TLS that is passed through untouched");
  }
}

// Source `any`: the caller holds a credential of the destination.
void admit_holder(Verdict& verdict, const PartyPtr& target, Carrier carrier) {
  const Service& service = *target->service;
  if (service.auth_type == AuthType::None) {
    verdict.reasons.push_back("The destination " + quoted(service) +
                              " has auth_type none, so that there is no credential of it to show");
  } else if (carrier == Carrier::Http) {
    admit_by_credential(verdict, target);
  } else if (carrier == Carrier::Tcp) {
    verdict.guard.certificates.push_back(target);
  } else {
    const std::string_view where =
        carrier == Carrier::Udp ? "Over udp" : "In TLS that is passed through untouched";
    verdict.reasons.push_back(std::string(where) + " a caller cannot show a credential of " +
                              quoted(service));
  }
}

bool all_literal(const Parties& parties) {
  return !parties.empty() && std::ranges::all_of(parties, [](const PartyPtr& party) {
    return is_literal(*party->service);
  });
}

}  // namespace

std::string_view name_of(Carrier carrier) {
  switch (carrier) {
    case Carrier::Http: return "http";
    case Carrier::Tcp: return "tcp";
    case Carrier::Tls: return "tls";
    case Carrier::Udp: return "udp";
  }
  return "";
}

Verdict judge(const Mapping& mapping, const Parties& sources, const Parties& targets,
              Carrier carrier) {
  const bool any = has_any(mapping.source_services);
  Verdict verdict;
  if (!mapping.auth_required) {
    if (any || (!sources.empty() && !all_literal(sources))) {
      verdict.guard.kind = Guard::Kind::Open;
      return verdict;
    }
    for (const PartyPtr& source : sources) add_addresses(verdict.guard, *source->service);
  } else {
    if (any) {
      for (const PartyPtr& target : targets) admit_holder(verdict, target, carrier);
    }
    for (const PartyPtr& source : sources) admit_source(verdict, source, carrier);
  }
  settle(verdict.guard);
  return verdict;
}

}  // namespace mp::xds
