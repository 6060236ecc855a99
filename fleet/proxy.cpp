#include "fleet/proxy.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace mp::fleet {
namespace {

bool by_name(const Resource* left, const Resource* right) { return left->name < right->name; }

auto place_of(std::vector<const Resource*>& held, NameId name) {
  return std::ranges::lower_bound(held, name, {}, [](const Resource* each) { return each->name; });
}

bool named(Type type) {
  return type == Type::Endpoint || type == Type::Secret || type == Type::Route;
}

}  // namespace

void Proxy::Names::add(std::vector<NameId> names) {
  names.insert(names.end(), names_.begin(), names_.end());
  std::ranges::sort(names);
  const auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
  names_ = std::move(names);
}

void Proxy::Names::remove(std::vector<NameId> names) {
  if (names_.empty() || names.empty()) return;
  std::ranges::sort(names);
  std::vector<NameId> rest;
  std::ranges::set_difference(names_, names, std::back_inserter(rest));
  names_ = std::move(rest);
}

// Of these a response of the state-of-the-world variant holds all there are.
bool Proxy::full_set(Type type) const {
  return variant_ == Variant::StateOfTheWorld && !named(type);
}

std::vector<Request> Proxy::connect() {
  std::vector<Request> requests;
  of(Type::Cluster).requested = true;
  for (const Type type : all_types) {
    Kind& kind = of(type);
    kind.answered = false;
    kind.nonce.clear();
    kind.unanswered.clear();
    changes_[static_cast<std::size_t>(type)].clear();
    if (named(type)) kind.requested = !kind.users.empty();
    if (!kind.requested) continue;
    Request first = request(type);
    if (named(type)) name_all(first);
    if (variant_ == Variant::Delta)
      first.held = kind.held;
    else
      kind.unanswered.add(first.subscribe);
    requests.push_back(std::move(first));
  }
  return requests;
}

Request Proxy::request(Type type) const {
  return {.type = type, .version = of(type).version, .nonce = of(type).nonce};
}

void Proxy::name_all(Request& request) const {
  for (const User& user : of(request.type).users) request.subscribe.push_back(user.name);
}

std::vector<Request> Proxy::receive(const Response& response) {
  Kind& kind = of(response.type);
  kind.answered = true;
  kind.nonce = response.nonce;
  if (variant_ == Variant::StateOfTheWorld) kind.version = response.version;
  if (full_set(response.type)) drop_all_but(response.type, response.resources);
  take(response.type, response.resources);
  remove(response.type, response.removed);
  std::vector<Request> requests;
  ask_for_names(requests);
  ask_for_listeners(requests);
  Request answer = request(response.type);
  if (variant_ == Variant::StateOfTheWorld && named(response.type)) name_all(answer);
  requests.push_back(std::move(answer));
  return requests;
}

void Proxy::take(Type type, std::vector<const Resource*> resources) {
  Kind& kind = of(type);
  std::ranges::sort(resources, by_name);
  Held fresh;
  std::vector<NameId> names;
  for (const Resource* each : resources) names.push_back(each->name);
  kind.unanswered.remove(std::move(names));
  for (const Resource* each : resources) {
    refer(each, 1);
    const auto place = place_of(kind.held, each->name);
    if (place != kind.held.end() && (*place)->name == each->name)
      refer(std::exchange(*place, each), -1);
    else
      fresh.push_back(each);
  }
  const auto middle = static_cast<std::ptrdiff_t>(kind.held.size());
  kind.held.insert(kind.held.end(), fresh.begin(), fresh.end());
  std::inplace_merge(kind.held.begin(), kind.held.begin() + middle, kind.held.end(), by_name);
}

void Proxy::drop_all_but(Type type, const std::vector<const Resource*>& resources) {
  std::vector<NameId> present, gone;
  for (const Resource* each : resources) present.push_back(each->name);
  std::ranges::sort(present);
  for (const Resource* each : of(type).held) {
    if (!std::ranges::binary_search(present, each->name)) gone.push_back(each->name);
  }
  remove(type, gone);
}

void Proxy::remove(Type type, const std::vector<NameId>& names) {
  Kind& kind = of(type);
  kind.unanswered.remove(names);
  for (const NameId name : names) {
    const auto place = place_of(kind.held, name);
    if (place == kind.held.end() || (*place)->name != name) continue;
    refer(*place, -1);
    kind.held.erase(place);
  }
}

void Proxy::refer(const Resource* resource, int step) {
  if (resource->scopes) scoping_ += step;
  for (const Need& need : resource->needs)
    changes_[static_cast<std::size_t>(need.type)].push_back({need.name, step});
}

// Subscribes to names that somebody refers to now, and drops those that nobody does any more.
void Proxy::ask_for_names(std::vector<Request>& requests) {
  for (const Type type : {Type::Endpoint, Type::Secret, Type::Route}) {
    auto& changes = changes_[static_cast<std::size_t>(type)];
    if (changes.empty()) continue;
    Kind& kind = of(type);
    Request change = request(type);
    count_users(kind, std::exchange(changes, {}), change);
    if (change.subscribe.empty() && change.unsubscribe.empty()) continue;
    kind.unanswered.add(change.subscribe);
    kind.requested = true;
    if (variant_ == Variant::StateOfTheWorld) {
      change.subscribe.clear();
      change.unsubscribe.clear();
      name_all(change);
    }
    requests.push_back(std::move(change));
  }
}

// Most changes of a resource leave what it refers to: then nothing is touched.
void Proxy::count_users(Kind& kind, std::vector<User> changes, Request& change) {
  std::ranges::sort(changes, {}, &User::name);
  std::vector<User> fresh;
  for (auto each = changes.begin(); each != changes.end();) {
    User sum{each->name, 0};
    for (; each != changes.end() && each->name == sum.name; ++each) sum.count += each->count;
    if (sum.count == 0) continue;
    const auto known = std::ranges::lower_bound(kind.users, sum.name, {}, &User::name);
    if (known == kind.users.end() || known->name != sum.name) {
      fresh.push_back(sum);
      change.subscribe.push_back(sum.name);
    } else if ((known->count += sum.count) == 0) {
      change.unsubscribe.push_back(sum.name);
    }
  }
  kind.unanswered.remove(change.unsubscribe);
  for (const NameId name : change.unsubscribe) {
    const auto place = place_of(kind.held, name);
    if (place != kind.held.end() && (*place)->name == name) kind.held.erase(place);
  }
  if (!change.unsubscribe.empty())
    std::erase_if(kind.users, [](const User& user) { return user.count == 0; });
  const auto middle = static_cast<std::ptrdiff_t>(kind.users.size());
  kind.users.insert(kind.users.end(), fresh.begin(), fresh.end());
  std::ranges::inplace_merge(kind.users, kind.users.begin() + middle, {}, &User::name);
}

void Proxy::ask_for_listeners(std::vector<Request>& requests) {
  const bool warm = of(Type::Cluster).answered && of(Type::Endpoint).unanswered.empty() &&
                    of(Type::Secret).unanswered.empty();
  const auto ask = [&](Type type) {
    if (std::exchange(of(type).requested, true)) return;
    requests.push_back(request(type));
  };
  if (warm) ask(Type::Listener);
  if (scoping_ > 0) ask(Type::ScopedRoute);
}

bool Proxy::ready() const {
  const bool scoped = scoping_ == 0 || of(Type::ScopedRoute).answered;
  return of(Type::Cluster).answered && of(Type::Listener).answered && scoped &&
         std::ranges::all_of(kinds_, [](const Kind& kind) { return kind.unanswered.empty(); });
}

}  // namespace mp::fleet
