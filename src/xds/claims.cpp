#include "xds/claims.hpp"

#include <algorithm>

namespace mp::xds {
namespace {

std::string on_port(const std::string& what, int port) {
  return what + " on port " + std::to_string(port);
}

// Who claimed: the service for its own names, else the mapping.
Object claimant(const HttpClaim& claim) {
  return claim.rank.service ? claim.upstream->origin : object_of(*claim.mapping);
}

std::string named(const HttpClaim& claim) {
  std::string text = object_of(*claim.mapping).name;
  if (claim.rank.service) text += " (service \"" + claim.upstream->origin.name + "\")";
  return text;
}

std::string claimed(const HttpClaim& claim) {
  const std::string& path = claim.mapping->path_prefix;
  return on_port("\"" + claim.domain + (path == "/" ? "" : path) + "\"" +
                     (claim.security == Security::Tls ? " within TLS" : ""),
                 claim.port);
}

bool agree(const HttpClaim& left, const HttpClaim& right) {
  return left.upstream->name == right.upstream->name &&
         left.mapping->strip_prefix == right.mapping->strip_prefix;
}

void shadow(HttpSettlement& settlement, const HttpClaim& loser, const HttpClaim& winner) {
  if (loser.mapping->id == winner.mapping->id && !loser.rank.service) return;
  if (loser.mapping->id == winner.mapping->id && !winner.rank.service) return;
  settlement.findings.push_back(
      {claimant(loser), Condition::Shadowed,
       claimed(loser) + " goes to " + named(winner) + ", which comes before " + named(loser)});
}

void warn_of_open(HttpSettlement& settlement, const HttpRoute& route) {
  const auto open = std::ranges::find_if(
      route.claims, [](const HttpClaim* claim) { return claim->guard->open(); });
  if (open == route.claims.end()) return;
  for (const HttpClaim* claim : route.claims) {
    const bool for_upgrades = allows_upgrade(*claim) && !allows_upgrade(**open);
    if (claim->guard->open() || for_upgrades) continue;
    settlement.findings.push_back({object_of(*claim->mapping), Condition::Warning,
                                   claimed(*claim) + " is open to everybody by " + named(**open) +
                                       ", so that this mapping keeps nobody out"});
  }
}

bool longer_first(const HttpRoute& left, const HttpRoute& right) {
  const std::string& one = left.first().mapping->path_prefix;
  const std::string& other = right.first().mapping->path_prefix;
  return one.size() != other.size() ? one.size() > other.size() : one < other;
}

std::string contested(const StreamClaim& claim) {
  const std::string of = claim.server_name.empty() ? "" : " of \"" + claim.server_name + "\"";
  return on_port(std::string(name_of(claim.carrier)) + of, claim.port);
}

// One mapping's claims on a name do not fight: its hosts go before its services' own names.
void shadow(StreamSettlement& settlement, const StreamClaim& loser, const StreamClaim& winner,
            const std::string& what) {
  if (loser.mapping->id == winner.mapping->id) return;
  if (loser.upstream->name == winner.upstream->name && loser.certificate == winner.certificate)
    return;
  settlement.findings.push_back({object_of(*loser.mapping), Condition::Shadowed,
                                 contested(loser) + what + " goes to " +
                                     object_of(*winner.mapping).name + ", which comes before " +
                                     object_of(*loser.mapping).name});
}

void warn_of_open(StreamSettlement& settlement, const std::vector<const StreamClaim*>& claims) {
  const StreamClaim* rest = settlement.rest;
  if (!rest || !rest->guard->open()) return;
  for (const StreamClaim* claim : claims) {
    if (claim->guard->open() || claim->upstream->name != rest->upstream->name) continue;
    settlement.findings.push_back({object_of(*claim->mapping), Condition::Warning,
                                   contested(*claim) + " is open to everybody by " +
                                       object_of(*rest->mapping).name +
                                       ", so that this mapping keeps nobody out"});
  }
}

}  // namespace

bool HttpRoute::open() const {
  return std::ranges::any_of(claims, [](const HttpClaim* claim) { return claim->guard->open(); });
}

HttpSettlement settle_http(const std::vector<const HttpClaim*>& claims) {
  HttpSettlement settlement;
  std::map<std::string_view, std::size_t> by_path;
  for (const HttpClaim* claim : claims) {
    const auto [at, is_new] =
        by_path.try_emplace(claim->mapping->path_prefix, settlement.routes.size());
    if (is_new) {
      settlement.routes.push_back({{claim}});
      continue;
    }
    HttpRoute& route = settlement.routes[at->second];
    if (agree(*claim, route.first())) {
      route.claims.push_back(claim);
    } else {
      shadow(settlement, *claim, route.first());
    }
  }
  for (const HttpRoute& route : settlement.routes) warn_of_open(settlement, route);
  std::ranges::sort(settlement.routes, longer_first);
  return settlement;
}

StreamSettlement settle_streams(const std::vector<const StreamClaim*>& claims) {
  StreamSettlement settlement;
  std::map<std::string, const StreamClaim*> taken;
  for (const StreamClaim* claim : claims) {
    if (claim->guard->open() || claim->certificate) {
      if (!settlement.rest) {
        settlement.rest = claim;
      } else {
        shadow(settlement, *claim, *settlement.rest, "");
      }
    }
    StreamSettlement::Share share{.claim = claim};
    for (const std::string& address : claim->guard->addresses) {
      const auto [at, is_new] = taken.try_emplace(address, claim);
      if (is_new) {
        share.addresses.push_back(address);
      } else {
        shadow(settlement, *claim, *at->second, " from " + address);
      }
    }
    if (!share.addresses.empty()) settlement.shares.push_back(std::move(share));
  }
  warn_of_open(settlement, claims);
  return settlement;
}

}  // namespace mp::xds
