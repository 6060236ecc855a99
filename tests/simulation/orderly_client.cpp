#include "tests/simulation/client.hpp"
#include "xds/dialect.hpp"

#include <algorithm>
#include <utility>

namespace mp::xds {

OrderlyClient::OrderlyClient(Flavour flavour, Random& random)
    : Client(flavour, random),
      taste_(random.next()),
      refused_percent_(random.chance(50) ? 0 : random.below(35)),
      tolerant_from_(Milliseconds{static_cast<std::int64_t>(random.below(120'000))}) {}

bool OrderlyClient::refuses(Type type, const Resource& resource, Time now) const {
  if (refused_percent_ == 0) return false;
  const auto hash = hash_of(show(type, resource.name) + resource.version) ^ taste_;
  const bool for_a_while = (hash >> 40) % 2 == 0;  // as a port that is not free yet
  return hash % 100 < refused_percent_ && (!for_a_while || now < tolerant_from_);
}

std::string OrderlyClient::held(Type type, const std::string& name) const {
  const auto found = of(type).held.find(name);
  return found == of(type).held.end() ? "" : found->second.resource->version;
}

Resources OrderlyClient::all_held(Type type) const {
  Resources all;
  for (const auto& [name, held] : of(type).held) all.push_back(held.resource);
  return all;
}

bool OrderlyClient::wants(Type type, const std::string& name) const {
  const Kind& kind = of(type);
  return kind.requested && (kind.wildcard || kind.names.contains(name));
}

bool OrderlyClient::inherits(Type type, const std::string& name) const {
  const auto found = of(type).held.find(name);
  return flavour_ == Flavour::StateOfTheWorld && found != of(type).held.end() &&
         found->second.inherited;
}

bool OrderlyClient::is_returning() const {
  return std::ranges::any_of(
      outgoing, [](const Request& request) { return !request.initial_versions.empty(); });
}

void OrderlyClient::connect() {
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
  }
  begin();
  for (const Type type : all_types) {
    if (of(type).requested) request_again(type);
  }
}

bool OrderlyClient::full_set(Type type) const {
  return flavour_ == Flavour::StateOfTheWorld &&
         (type == Type::Cluster || type == Type::Listener || type == Type::ScopedRoute);
}

void OrderlyClient::request_again(Type type) {
  Kind& kind = of(type);
  Request request;
  request.subscribe = {kind.names.begin(), kind.names.end()};
  if (flavour_ == Flavour::Delta) {
    for (const auto& [name, held] : kind.held)
      request.initial_versions.push_back({name, held.resource->version});
  } else {
    request.version = kind.version;
    // Its version tells what it holds only of who asks for all clusters.
    if (of(Type::Cluster).wildcard) {
      for (const auto& name : kind.names) {
        if (!kind.held.contains(name)) kind.forgotten.insert(name);
      }
      kind.misleads = !kind.version.empty() && kind.version != version_of(all_held(type));
    }
    kind.began_with_all = !kind.wildcard && kind.names.empty();
  }
  send(type, std::move(request));
}

void OrderlyClient::send(Type type, Request request) {
  request.type_url = type_url(type);
  outgoing.push_back(std::move(request));
}

void OrderlyClient::receive(const Response& response, Time now) {
  Kind& kind = of(response.type);
  kind.nonce = response.nonce;
  if (ignores(response)) return;
  received_ += response.resources.size();
  std::set<std::string> bad;
  for (const auto& each : response.resources) {
    check_repeated(response.type, *each);
    if (response.type == Type::Cluster) of(Type::Endpoint).renewed.insert(each->name);
    if (refuses(response.type, *each, now)) bad.insert(each->name);
  }
  const Verdict verdict = bad.empty() ? Verdict{} : judge(response, bad);
  const bool names_first = random_.chance(50);
  kind.missed.insert(verdict.untaken.begin(), verdict.untaken.end());
  kind.disputed.insert(verdict.disputed.begin(), verdict.disputed.end());
  if (!verdict.all_untaken) {
    apply(response, verdict);
    if (!verdict.error) kind.version = response.version;
    if (names_first) look_for_names();
  }
  answer(response.type, {response.nonce, response.version, verdict.error});
  look_for_names();
  check_references();
}

// "Nothing is sent that the client holds already", unless it asked or its cluster came again.
void OrderlyClient::check_repeated(Type type, const Resource& resource) {
  if (full_set(type) || held(type, resource.name) != resource.version) return;
  auto& renewed = of(type).renewed;
  const auto reason = renewed.find(resource.name);
  const bool is_renewed = reason != renewed.end();
  if (is_renewed) renewed.erase(reason);
  if (!is_renewed && !disputes(type, resource.name) && !forgot(type, resource.name) &&
      !inherits(type, resource.name))
    throw Complaint(show(type, resource.name) + " was sent though the client holds that version");
}

void OrderlyClient::apply(const Response& response, const Verdict& verdict) {
  Kind& kind = of(response.type);
  std::set<std::string> present;
  for (const auto& each : response.resources) {
    present.insert(each->name);
    if (verdict.untaken.contains(each->name)) continue;
    if (!wants(response.type, each->name)) continue;  // dropped since
    kind.held[each->name] = {.resource = each, .in_part = verdict.disputed.contains(each->name)};
    kind.missed.erase(each->name);
  }
  for (const auto& name : response.removed) lose(response.type, name);
  if (!full_set(response.type)) return;
  kind.misleads = kind.misleads && verdict.error;
  std::erase_if(kind.held, [&](const auto& each) { return !present.contains(each.first); });
}

void OrderlyClient::want(Type type, const std::set<std::string>& names) {
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

void OrderlyClient::answer(Type type, Answer answer) {
  Kind& kind = of(type);
  kind.late.push_back(std::move(answer));
  // A late answer of the state of the world would name what is wanted now, not what was then.
  const bool at_once = flavour_ == Flavour::StateOfTheWorld && !kind.wildcard;
  if (!at_once && (kind.late.size() > 1 || random_.chance(25))) return;
  flush(type);
}

void OrderlyClient::flush(Type type) {
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

void OrderlyClient::answer_late() {
  const Type type = random_.pick(all_types);
  if (!of(type).late.empty()) flush(type);
}

void OrderlyClient::settle() {
  for (const Type type : all_types) {
    while (!of(type).late.empty()) flush(type);
  }
  go_on();
}

}  // namespace mp::xds
