#include "tests/simulation/client.hpp"
#include "xds/dialect.hpp"
#include "xds/subscription.hpp"

#include <algorithm>
#include <utility>

namespace mp::xds {
namespace {

constexpr std::array<std::string_view, type_count> nouns{"cluster",  "endpoint", "secret",
                                                         "listener", "route",    "scope"};

bool full_set(Type type) {
  return type == Type::Cluster || type == Type::Listener || type == Type::ScopedRoute;
}

}  // namespace

std::string show(Type type, const std::string& name) {
  return std::string(nouns[static_cast<std::size_t>(type)]) + " " + name;
}

EnvoyClient::EnvoyClient(Flavour flavour, Random& random)
    : Client(flavour, random),
      taste_(random.next()),
      refused_percent_(random.chance(50) ? 0 : random.below(35)),
      tolerant_from_(Milliseconds{static_cast<std::int64_t>(random.below(120'000))}) {}

bool EnvoyClient::refuses(Type type, const Resource& resource, Time now) const {
  if (refused_percent_ == 0) return false;
  const auto hash = name_hash(show(type, resource.name) + resource.version) ^ taste_;
  const bool for_a_while = (hash >> 40) % 2 == 0;  // as a port that is not free yet
  return hash % 100 < refused_percent_ && (!for_a_while || now < tolerant_from_);
}

std::string EnvoyClient::held(Type type, const std::string& name) const {
  const auto found = of(type).held.find(name);
  return found == of(type).held.end() ? "" : found->second.resource->version;
}

Resources EnvoyClient::all_held(Type type) const {
  Resources all;
  for (const auto& [name, held] : of(type).held) all.push_back(held.resource);
  return all;
}

bool EnvoyClient::wants(Type type, const std::string& name) const {
  const Kind& kind = of(type);
  return kind.requested && (kind.wildcard || kind.names.contains(name));
}

bool EnvoyClient::inherits(Type type, const std::string& name) const {
  const auto found = of(type).held.find(name);
  return flavour_ == Flavour::StateOfTheWorld && found != of(type).held.end() &&
         found->second.inherited;
}

bool EnvoyClient::is_returning() const {
  return std::ranges::any_of(
      outgoing, [](const Request& request) { return !request.initial_versions.empty(); });
}

void EnvoyClient::connect() {
  outgoing.clear();
  received_ = 0;
  too_late_ = false;
  for (const Type type : all_types) {
    Kind& kind = of(type);
    kind.nonce.clear();
    kind.began_with_all = false;
    kind.late.clear();
    kind.forgotten.clear();
    kind.misleads = false;
    kind.renewed.clear();
    kind.disputed.clear();
    for (auto& [name, held] : kind.held) held.inherited = true;
    if (flavour_ == Flavour::Delta)
      kind.requested = kind.requested && (kind.wildcard || !kind.names.empty());
  }
  of(Type::Cluster).requested = of(Type::Cluster).wildcard = true;
  for (const Type type : all_types) {
    if (of(type).requested) request_again(type);
  }
}

void EnvoyClient::request_again(Type type) {
  Kind& kind = of(type);
  Request request;
  request.subscribe = {kind.names.begin(), kind.names.end()};
  if (flavour_ == Flavour::Delta) {
    for (const auto& [name, held] : kind.held)
      request.initial_versions.push_back({name, held.resource->version});
  } else {
    request.version = kind.version;
    for (const auto& name : kind.names) {
      if (!kind.held.contains(name)) kind.forgotten.insert(name);
    }
    kind.misleads = !kind.version.empty() && kind.version != version_of(all_held(type));
    kind.began_with_all = !kind.wildcard && kind.names.empty();
  }
  send(type, std::move(request));
}

void EnvoyClient::send(Type type, Request request) {
  request.type_url = type_url(type);
  outgoing.push_back(std::move(request));
}

void EnvoyClient::receive(const Response& response, Time now) {
  Kind& kind = of(response.type);
  kind.nonce = response.nonce;
  if (ignores(response)) return;
  received_ += response.resources.size();
  for (const auto& each : response.resources) {
    check_repeated(response.type, *each);
    if (response.type == Type::Cluster) of(Type::Endpoint).renewed.insert(each->name);
  }
  std::set<std::string> bad;
  const auto error = judge(response, bad, now);
  const bool nothing_applied = error && !error->starts_with("Error adding");
  const bool names_first = random_.chance(50);
  if (!nothing_applied) {
    apply(response, bad);
    kind.version = error ? kind.version : response.version;
    if (names_first) look_for_names();
  } else {
    kind.missed.insert(bad.begin(), bad.end());
  }
  kind.disputed.insert(bad.begin(), bad.end());
  answer(response.type, {response.nonce, response.version, error});
  look_for_names();
  check_references();
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

// "Nothing is sent that the client holds already", unless it asked or its cluster came again.
void EnvoyClient::check_repeated(Type type, const Resource& resource) {
  Kind& kind = of(type);
  const bool renewed = kind.renewed.erase(resource.name) > 0;
  if (flavour_ == Flavour::StateOfTheWorld && full_set(type)) return;
  const bool explained = renewed || kind.disputed.contains(resource.name) ||
                         forgot(type, resource.name) || inherits(type, resource.name);
  if (!explained && held(type, resource.name) == resource.version)
    throw Complaint(show(type, resource.name) + " was sent though the client holds that version");
}

// What it says of a response: nothing, or words as Envoy's, which name the culprits of clusters and
// listeners only.
std::optional<std::string> EnvoyClient::judge(const Response& response, std::set<std::string>& bad,
                                              Time now) {
  std::string text;
  for (const auto& each : response.resources) {
    if (!refuses(response.type, *each, now)) continue;
    text += (text.empty() ? "" : ", ") + each->name + ": no good";
    bad.insert(each->name);
  }
  if (bad.empty()) return std::nullopt;
  const bool named = response.type == Type::Cluster || response.type == Type::Listener;
  if (named && taste_ % 4 != 0) return "Error adding/updating resource(s) " + text;
  for (const auto& each : response.resources) bad.insert(each->name);
  return "missing ]: [";
}

void EnvoyClient::apply(const Response& response, const std::set<std::string>& bad) {
  Kind& kind = of(response.type);
  std::set<std::string> present;
  for (const auto& each : response.resources) {
    present.insert(each->name);
    if (bad.contains(each->name)) {
      kind.missed.insert(each->name);
      continue;
    }
    if (!wants(response.type, each->name)) continue;  // dropped since
    kind.held[each->name] = {each, false};
    kind.missed.erase(each->name);
  }
  for (const auto& name : response.removed) lose(response.type, name);
  if (flavour_ == Flavour::Delta || !full_set(response.type)) return;
  kind.misleads = kind.misleads && !bad.empty();
  std::vector<std::string> gone;
  for (const auto& [name, held] : kind.held) {
    if (!present.contains(name)) gone.push_back(name);
  }
  for (const auto& name : gone) kind.held.erase(name);
}

// Endpoints and secrets may go before their cluster: removals go in reverse. Route configurations
// stay until the last listener that names them goes, whatever the server says.
void EnvoyClient::lose(Type type, const std::string& name) {
  if (type == Type::Route) return;
  if (of(type).held.erase(name) == 0 || type == Type::Cluster) return;
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
        if (!of(Type::Cluster).missed.contains(used.name))
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

void EnvoyClient::want(Type type, const std::set<std::string>& names) {
  Kind& kind = of(type);
  if (kind.names == names) return;
  Request request;
  for (const auto& name : names) {
    if (kind.names.contains(name)) continue;
    request.subscribe.push_back(name);
    if (kind.began_with_all) kind.forgotten.insert(name);
  }
  for (const auto& name : kind.names) {
    if (names.contains(name)) continue;
    request.unsubscribe.push_back(name);
    kind.held.erase(name);
    kind.missed.erase(name);
    kind.forgotten.insert(name);
  }
  kind.names = names;
  kind.requested = true;
  if (flavour_ == Flavour::StateOfTheWorld) {
    request.unsubscribe.clear();
    request.subscribe = {names.begin(), names.end()};
    request.nonce = kind.nonce;
    request.version = kind.version;
  }
  send(type, std::move(request));
}

void EnvoyClient::answer(Type type, Answer answer) {
  Kind& kind = of(type);
  kind.late.push_back(std::move(answer));
  // A late answer of the state of the world would name what is wanted now, not what was then.
  const bool at_once = flavour_ == Flavour::StateOfTheWorld && !full_set(type);
  if (!at_once && (kind.late.size() > 1 || random_.chance(25))) return;
  flush(type);
}

void EnvoyClient::flush(Type type) {
  Kind& kind = of(type);
  const Answer answer = std::move(kind.late.front());
  kind.late.pop_front();
  Request request;
  request.nonce = answer.nonce;
  request.error = answer.error;
  if (flavour_ == Flavour::StateOfTheWorld) {
    request.subscribe = {kind.names.begin(), kind.names.end()};
    request.version = answer.error ? kind.version : answer.version;
  }
  send(type, std::move(request));
}

void EnvoyClient::act() {
  if (random_.chance(70)) {
    const Type type = random_.pick(all_types);
    if (!of(type).late.empty()) flush(type);
  } else if (warm() || random_.chance(5)) {
    start_serving();
  }
}

bool EnvoyClient::warm() const {
  return !of(Type::Cluster).nonce.empty() &&
         std::ranges::all_of(of(Type::Cluster).held, [&](const auto& each) {
           return of(Type::Endpoint).held.contains(each.first);
         });
}

void EnvoyClient::start_serving() {
  for (const Type type : {Type::Listener, Type::ScopedRoute}) {
    Kind& kind = of(type);
    if (kind.requested) continue;
    kind.requested = kind.wildcard = true;
    send(type, {});
  }
}

void EnvoyClient::settle() {
  for (const Type type : all_types) {
    while (!of(type).late.empty()) flush(type);
  }
  start_serving();
}

}  // namespace mp::xds
