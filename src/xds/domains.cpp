#include "xds/domains.hpp"

#include "xds/encode.hpp"

#include <algorithm>
#include <utility>

namespace mp::xds {
namespace {

bool has_path(const HttpClaim& claim) { return claim.mapping->path_prefix != "/"; }

}  // namespace

void Domains::add(const HttpClaim& claim) {
  domains_[claim.domain].claims.insert(&claim);
  touched_.insert(claim.domain);
  if (has_path(claim)) ++by_path_;
}

void Domains::remove(const HttpClaim& claim) {
  domains_[claim.domain].claims.erase(&claim);
  touched_.insert(claim.domain);
  if (has_path(claim)) --by_path_;
}

void Domains::count_checks(const VirtualHost& host, int step) {
  for (const TokenCheck& check : host.checks) {
    const auto known = checks_.try_emplace(check_name(check)).first;
    // Of a rotated secret the other domains have the old form until they are made anew as well.
    if (step > 0 && known->second.check != check) {
      known->second.check = check;
      checks_changed_ = true;
    }
    if ((known->second.users += step) > 0) continue;
    checks_.erase(known);
    checks_changed_ = true;
  }
}

void Domains::encode_checks() {
  if (!std::exchange(checks_changed_, false)) return;
  std::map<std::string, TokenCheck> checks;
  for (const auto& [name, check] : checks_) checks.emplace(name, check.check);
  tokens_ = checks.empty() ? std::string() : deterministic(encode(checks));
}

void Domains::remake(Shelves& shelves, Tally& findings) {
  if (touched_.empty()) return;
  const bool joint =
      flavour_ == Flavour::StateOfTheWorld ||
      std::ranges::any_of(touched_, [](const auto& name) { return is_wildcard(name); });
  for (const std::string& name : touched_) remake_domain(name, shelves, findings);
  touched_.clear();
  encode_checks();
  if (joint) remake_joint(shelves);
}

void Domains::remake_domain(const std::string& name, Shelves& shelves, Tally& findings) {
  const auto at = domains_.find(name);
  Domain& domain = at->second;
  const bool own_scope = flavour_ == Flavour::Delta && !is_wildcard(name);
  const HttpSettlement settlement = settle_http({domain.claims.begin(), domain.claims.end()});
  findings.replace(domain.findings, settlement.findings);
  // What both have is not missing in between, and need not be encoded again.
  const VirtualHost before = std::exchange(domain.host, {});
  if (!domain.claims.empty())
    domain.host = make_virtual_host(name, settlement, {flavour_, logging_});
  count_checks(domain.host, 1);
  count_checks(before, -1);
  if (domain.claims.empty()) {
    wildcards_.erase(name);
    domains_.erase(at);
    if (own_scope) shelf(shelves, Type::ScopedRoute).put(scope_name(routes_, name), nullptr);
    return;
  }
  domain.findings = settlement.findings;
  if (is_wildcard(name)) wildcards_.insert(name);
  if (own_scope)
    shelf(shelves, Type::ScopedRoute)
        .put(scope_name(routes_, name), make_scope(routes_, name, {&domain.host}));
}

// The resource that many domains share: all of them, or the wildcards.
void Domains::remake_joint(Shelves& shelves) {
  const auto members = hosts();
  if (flavour_ == Flavour::StateOfTheWorld) {
    shelf(shelves, Type::Route)
        .put(routes_, members.empty() ? nullptr : make_routes(routes_, members));
  } else {
    shelf(shelves, Type::ScopedRoute)
        .put(scope_name(routes_, "*"),
             members.empty() ? nullptr : make_scope(routes_, "*", members));
  }
}

std::vector<const VirtualHost*> Domains::hosts() const {
  std::vector<const VirtualHost*> hosts;
  if (flavour_ == Flavour::StateOfTheWorld) {
    for (const auto& [name, domain] : domains_) hosts.push_back(&domain.host);
  } else {
    for (const std::string& name : wildcards_) hosts.push_back(&domains_.at(name).host);
  }
  return hosts;
}

}  // namespace mp::xds
