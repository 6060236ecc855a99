#include "fleet/catalogue.hpp"

#include "fleet/references.hpp"

#include <algorithm>
#include <functional>

namespace mp::fleet {
namespace {

std::string key_of(Type type, std::string_view name, std::string_view version) {
  std::string key(1, static_cast<char>('0' + static_cast<int>(type)));
  return key.append(version).append("\n").append(name);
}

}  // namespace

NameId Catalogue::id_of(std::string_view name) {
  const std::lock_guard lock{mutex_};
  const auto [place, added] = ids_.try_emplace(std::string(name), names_.size());
  if (added) names_.push_back(&place->first);  // keys of an unordered_map stay where they are
  return place->second;
}

std::string Catalogue::name_of(NameId id) const {
  const std::shared_lock lock{mutex_};
  return *names_[id];
}

const Resource* Catalogue::find(Type type, std::string_view name, std::string_view version) const {
  const std::shared_lock lock{mutex_};
  const auto found = resources_.find(key_of(type, name, version));
  return found == resources_.end() ? nullptr : found->second.get();
}

const Resource* Catalogue::add(Type type, std::string_view name, std::string_view version,
                               std::string_view any) {
  const References found = references_of(type, any);
  auto made = std::make_unique<Resource>();
  made->type = type;
  made->name = id_of(name.empty() ? found.name : name);
  made->version = version;
  made->scopes = found.scopes;
  for (const auto& [needed, text] : found.needs) made->needs.push_back({needed, id_of(text)});
  std::ranges::sort(made->needs);
  const auto repeated = std::ranges::unique(made->needs);
  made->needs.erase(repeated.begin(), repeated.end());
  const std::lock_guard lock{mutex_};
  return resources_.try_emplace(key_of(type, name, version), std::move(made)).first->second.get();
}

const Resource* Catalogue::add_unnamed(Type type, std::string_view any) {
  const std::string mark = std::to_string(std::hash<std::string_view>{}(any));
  const Resource* known = find(type, "", mark);
  return known ? known : add(type, "", mark, any);
}

}  // namespace mp::fleet
