#include "fleet/catalogue.hpp"

#include "fleet/references.hpp"

#include <algorithm>

namespace mp::fleet {

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

std::size_t Catalogue::Hash::operator()(const KeyView& key) const {
  const std::hash<std::string_view> hash;
  return (hash(std::get<1>(key)) + static_cast<std::size_t>(std::get<0>(key))) * 31 +
         hash(std::get<2>(key));
}

const Resource* Catalogue::Look::find(Type type, std::string_view name,
                                      std::string_view version) const {
  const auto found = catalogue_.resources_.find(KeyView{type, name, version});
  return found == catalogue_.resources_.end() ? nullptr : found->second.get();
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
  return resources_.try_emplace(Key{type, name, version}, std::move(made)).first->second.get();
}

}  // namespace mp::fleet
