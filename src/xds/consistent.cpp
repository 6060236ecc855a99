#include "xds/consistent.hpp"

#include "xds/build.hpp"
#include "xds/facts.hpp"

#include <algorithm>

namespace mp::xds {
namespace {

std::string_view noun(Type type) {
  switch (type) {
    case Type::Cluster: return "cluster";
    case Type::Endpoint: return "endpoints";
    case Type::Secret: return "secret";
    case Type::Listener: return "listener";
    case Type::Route: return "routes";
    case Type::ScopedRoute: return "scope";
  }
  return "";
}

std::string subject(Type type, const std::string& name) {
  return std::string(noun(type)) + " \"" + name + "\"";
}

std::string shared_key(const ResourceFacts& facts) {
  return "two scopes have the key " + facts.scope_key;
}

}  // namespace

void Consistency::take(Type type, const ResourcePtr& resource) {
  ResourceFacts facts = facts_of(type, *resource);
  for (const auto& [needed, name] : facts.needs) {
    ++needed_[static_cast<std::size_t>(needed)][name];
    review(needed, name);
  }
  if (!facts.scope_key.empty() && ++scope_keys_[facts.scope_key] == 2)
    breaches_.insert(shared_key(facts));
  for (const std::string& breach : facts.breaches)
    breaches_.insert(subject(type, resource->name) + ": " + breach);
  known_[static_cast<std::size_t>(type)][resource->name] = {resource, std::move(facts)};
  review(type, resource->name);
}

void Consistency::leave(Type type, const ResourcePtr& resource) {
  auto& known = known_[static_cast<std::size_t>(type)];
  const auto node = known.extract(resource->name);
  const ResourceFacts& facts = node.mapped().facts;
  for (const auto& [needed, name] : facts.needs) {
    auto& counts = needed_[static_cast<std::size_t>(needed)];
    const auto at = counts.find(name);
    if (--at->second == 0) counts.erase(at);
    review(needed, name);
  }
  if (!facts.scope_key.empty() && --scope_keys_[facts.scope_key] == 1)
    breaches_.erase(shared_key(facts));
  for (const std::string& breach : facts.breaches)
    breaches_.erase(subject(type, resource->name) + ": " + breach);
  review(type, resource->name);
}

// Whether a name that something needs is there; and the other way round for endpoints, which Envoy
// refuses when no cluster asked for them.
void Consistency::review(Type type, const std::string& name) {
  const bool known = known_[static_cast<std::size_t>(type)].contains(name);
  const bool needed = needed_[static_cast<std::size_t>(type)].contains(name);
  const auto note = [&](bool broken, const std::string& breach) {
    if (broken)
      breaches_.insert(breach);
    else
      breaches_.erase(breach);
  };
  note(needed && !known, subject(type, name) + " is needed and missing");
  note(known && !needed && type == Type::Endpoint, subject(type, name) + " belongs to no cluster");
}

void Consistency::compare(Type type, const Catalogue& next) {
  Catalogue& last = last_[static_cast<std::size_t>(type)];
  const auto changes = Catalogue::difference(last, next);
  for (const auto& change : changes) {
    if (change.before) leave(type, change.before);
  }
  for (const auto& change : changes) {
    if (change.after) take(type, change.after);
  }
  last = next;
}

std::vector<std::string> Consistency::check(const Snapshot& snapshot) {
  for (std::size_t at = 0; at < type_count; ++at)
    compare(static_cast<Type>(at), snapshot.types[at]);
  return {breaches_.begin(), breaches_.end()};
}

std::vector<std::string> inconsistencies(const Snapshot& snapshot) {
  return Consistency().check(snapshot);
}

}  // namespace mp::xds
