#include "tests/simulation/client.hpp"

#include <algorithm>
#include <utility>

namespace mp::xds {

void EnvoyClient::begin() {
  for (Kind& kind : kinds_) {
    if (flavour_ == Flavour::Delta)
      kind.requested = kind.requested && (kind.wildcard || !kind.names.empty());
  }
  of(Type::Cluster).requested = of(Type::Cluster).wildcard = true;
}

// Without names to look for, state-of-the-world Envoy takes the version of an empty response and
// does not answer it; of any other response it says only that it wants nothing.
bool EnvoyClient::ignores(const Response& response) {
  Kind& kind = of(response.type);
  if (flavour_ == Flavour::Delta || kind.wildcard || !kind.names.empty()) return false;
  if (response.resources.empty()) {
    kind.version = response.version;
  } else {
    send(response.type, {.version = kind.version, .nonce = response.nonce});
  }
  return true;
}

// Words as Envoy's, which name the culprits of clusters and listeners only. Where each name has a
// watch of its own those that were told before the one that refused have taken theirs.
EnvoyClient::Verdict EnvoyClient::judge(const Response& response,
                                        const std::set<std::string>& bad) {
  if (const bool named = response.type == Type::Cluster || response.type == Type::Listener;
      named && taste_ % 4 != 0) {
    std::string text;
    for (const auto& name : bad) text += (text.empty() ? "" : ", ") + name + ": no good";
    return {"Error adding/updating resource(s) " + text, bad, bad};
  }
  Verdict verdict{.error = "missing ]: [", .all_untaken = true};
  for (const auto& each : response.resources) verdict.disputed.insert(each->name);
  const bool watched = response.type == Type::Endpoint || response.type == Type::Secret;
  if (breadth_ == Breadth::Wide && watched) {
    verdict.all_untaken = false;
    for (const auto& name : verdict.disputed) {
      if (bad.contains(name) || random_.chance(50)) verdict.untaken.insert(name);
    }
  } else {
    verdict.untaken = verdict.disputed;
  }
  return verdict;
}

// Endpoints and secrets may go before their cluster: removals go in reverse. Route configurations
// stay until the last listener that names them goes, whatever the server says.
void EnvoyClient::lose(Type type, const std::string& name) {
  if (type == Type::Route) return;
  if (of(type).held.erase(name) == 0) return;
  if (type == Type::Cluster) {
    if (too_late_) of(type).missed.insert(name);  // also on the next streams
    return;
  }
  if (of(type).renewed.erase(name) > 0) return;  // it has asked whether there is one
  for (const Type user : {Type::Listener, Type::Route, Type::ScopedRoute}) {
    for (const auto& [user_name, held] : of(user).held) {
      const auto used = references_of(*held.resource);
      if (std::ranges::find(used, Reference{type, name}) == used.end()) continue;
      if (!too_late_ || !held.inherited)
        throw Complaint(show(type, name) + " was removed while " + show(user, user_name) +
                        " uses it");
    }
  }
}

// Make before break: no reference to a cluster that is not there, but for those refused.
void EnvoyClient::check_references() const {
  for (const Type user : {Type::Listener, Type::Route, Type::ScopedRoute}) {
    for (const auto& [name, held] : of(user).held) {
      if (held.inherited && (too_late_ || flavour_ == Flavour::StateOfTheWorld)) continue;
      for (const auto& used : references_of(*held.resource)) {
        if (used.type != Type::Cluster || of(Type::Cluster).held.contains(used.name)) continue;
        if (!of(Type::Cluster).missed.contains(used.name) && !disputes(Type::Cluster, used.name))
          throw Complaint(show(user, name) + " refers to cluster " + used.name +
                          ", which the client does not have");
      }
    }
  }
}

// Endpoints of its clusters, secrets and routes that clusters and listeners refer to.
void EnvoyClient::look_for_names() {
  std::array<std::set<std::string>, type_count> names;
  for (const Type user : {Type::Cluster, Type::Listener}) {
    for (const auto& [name, held] : of(user).held) {
      if (user == Type::Cluster) names[static_cast<std::size_t>(Type::Endpoint)].insert(name);
      for (const auto& used : references_of(*held.resource))
        names[static_cast<std::size_t>(used.type)].insert(used.name);
    }
  }
  for (const Type type : {Type::Endpoint, Type::Secret, Type::Route})
    want(type, names[static_cast<std::size_t>(type)]);
}

void EnvoyClient::act() {
  if (breadth_ == Breadth::Wide && random_.chance(8)) return ask_again();
  if (random_.chance(70)) {
    answer_late();
  } else if (warm() || random_.chance(5)) {
    go_on();
  }
}

// As when a listener warms once more: "resubscribed names must be resent even if believed known".
void EnvoyClient::ask_again() {
  constexpr std::array types{Type::Endpoint, Type::Secret, Type::Route};
  const Type type = random_.pick(types);
  Kind& kind = of(type);
  if (flavour_ != Flavour::Delta || kind.names.empty()) return;
  const std::string& name = random_.pick(kind.names);
  kind.renewed.insert(name);
  send(type, {.subscribe = {name}});
}

bool EnvoyClient::warm() const {
  return !of(Type::Cluster).nonce.empty() &&
         std::ranges::all_of(of(Type::Cluster).held, [&](const auto& each) {
           return of(Type::Endpoint).held.contains(each.first);
         });
}

void EnvoyClient::go_on() {
  for (const Type type : {Type::Listener, Type::ScopedRoute}) {
    Kind& kind = of(type);
    if (kind.requested) continue;
    kind.requested = kind.wildcard = true;
    send(type, {});
  }
}

}  // namespace mp::xds
