#include "tests/simulation/content.hpp"

#include <algorithm>

namespace mp::xds {
namespace {

constexpr std::array<char, type_count> letters{'c', 'c', 's', 'l', 'r', 'p'};
constexpr std::array<std::size_t, type_count> most{6, 6, 3, 4, 3, 4};
constexpr std::size_t forms = 4;
constexpr std::size_t many = 24;  // more than are tried at a time when nobody is named

// "0c1;2s0;#3": type and name of each reference, then the form.
std::string body_of(const std::vector<Reference>& references, std::size_t form) {
  std::string body;
  for (const auto& each : references) {
    body += static_cast<char>('0' + static_cast<int>(each.type));
    body += each.name + ";";
  }
  return body + "#" + std::to_string(form);
}

ResourcePtr make(const std::string& name, const std::string& body) {
  auto made = std::make_shared<Resource>();
  made->name = name;
  made->version = std::to_string(hash_of(body));
  made->body = body;
  made->origins = {{.type = "mapping", .id = static_cast<std::int64_t>(name[1]), .name = name}};
  return made;
}

}  // namespace

std::vector<Reference> references_of(const Resource& resource) {
  std::vector<Reference> references;
  const std::string& body = resource.body;
  for (std::size_t at = 0; at < body.size() && body[at] != '#';) {
    const auto end = body.find(';', at);
    references.push_back({static_cast<Type>(body[at] - '0'), body.substr(at + 1, end - at - 1)});
    at = end + 1;
  }
  return references;
}

std::string any_name(Type type, Random& random) {
  const auto n = static_cast<std::size_t>(type);
  return {letters[n], static_cast<char>('0' + random.below(most[n]))};
}

Content::Content(Random& random, Breadth breadth)
    : random_(random), is_large_(breadth == Breadth::Wide && random.chance(8)) {
  for (std::size_t n = random.below(is_large_ ? 160 : 16); n > 0; --n) edit();
}

std::string Content::new_name(Type type) {
  if (!is_large_) return any_name(type, random_);
  const auto n = static_cast<int>(random_.below(many));
  return {letters[static_cast<std::size_t>(type)],
          static_cast<char>(n < 10 ? '0' + n : 'a' + n - 10)};
}

SnapshotPtr Content::next() {
  if (!random_.chance(10)) ++revision_;  // else: the end of a secret, which is no change of a row
  if (random_.chance(5)) make_again();
  if (!random_.chance(8)) {
    for (std::size_t n = 1 + random_.below(4); n > 0; --n) edit();
  }
  return snapshot();
}

void Content::edit() {
  constexpr std::array kinds{Type::Cluster, Type::Secret, Type::Listener, Type::Route,
                             Type::ScopedRoute};
  const Type type = random_.pick(kinds);
  switch (random_.below(4)) {
    case 0: return drop(type);
    case 1: return change(type == Type::Cluster && random_.chance(50) ? Type::Endpoint : type);
    default: return add(type);
  }
}

void Content::add(Type type) {
  const std::string name = new_name(type);
  if (of(type).contains(name)) return change(type);
  of(type)[name] = {random_.below(forms), any_references(type), nullptr};
  if (type == Type::Cluster) of(Type::Endpoint)[name] = {random_.below(forms), {}, nullptr};
}

void Content::drop(Type type) {
  if (of(type).empty()) return;
  const std::string name = random_.pick(of(type)).first;
  of(type).erase(name);
  if (type == Type::Cluster) of(Type::Endpoint).erase(name);
  forget({type, name});
}

void Content::change(Type type) {
  if (of(type).empty()) return;
  Item& item = random_.pick(of(type)).second;
  item.form = random_.below(forms);
  if (random_.chance(50)) item.references = any_references(type);
  item.made = nullptr;
}

void Content::forget(const Reference& target) {
  for (Items& items : items_) {
    for (auto& [name, item] : items) {
      if (std::erase(item.references, target) > 0) item.made = nullptr;
    }
  }
}

std::vector<Reference> Content::any_references(Type type) {
  std::vector<Reference> references;
  if (type == Type::Cluster || type == Type::Listener) refer(references, Type::Secret, 1);
  if (type == Type::Listener) refer(references, Type::Route, 1);
  if (type >= Type::Listener) refer(references, Type::Cluster, 2);
  std::ranges::sort(references);
  const auto repeated = std::ranges::unique(references);
  references.erase(repeated.begin(), repeated.end());
  return references;
}

void Content::refer(std::vector<Reference>& references, Type type, std::size_t most_of_it) {
  for (std::size_t n = random_.below(most_of_it + 1); n > 0 && !of(type).empty(); --n)
    references.push_back({type, random_.pick(of(type)).first});
}

// Another process, or a builder that forgot: equal content at another place.
void Content::make_again() {
  for (Items& items : items_) {
    for (auto& [name, item] : items) item.made = nullptr;
  }
}

SnapshotPtr Content::snapshot() {
  auto made = std::make_shared<Snapshot>();
  made->revision = revision_;
  const bool counted = revision_ % 4 != 3;  // it may be unknown
  for (std::size_t type = 0; type < type_count; ++type) {
    for (auto& [name, item] : items_[type]) {
      if (!item.made) item.made = make(name, body_of(item.references, item.form));
      made->types[type].put(item.made);
      if (counted) made->censuses[type].add(name, item.made->version);
    }
  }
  return made;
}

}  // namespace mp::xds
