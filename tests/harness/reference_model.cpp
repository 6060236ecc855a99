#include "reference_model.hpp"

#include <algorithm>

namespace mp::test {
namespace {

constexpr std::string_view collection_prefix = "collection:";

std::string lower(std::string text) {
  for (char& letter : text)
    letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return text;
}

bool has(const std::string& text, const std::string& part) {
  return lower(text).find(lower(part)) != std::string::npos;
}

// Sorted by `key`, ids deciding among equal ones in the same direction.
template <class Key>
void order(std::vector<std::int64_t>& ids, const std::string& sort, Key key) {
  const bool descending = sort.starts_with('-');
  std::ranges::sort(ids, [&](std::int64_t left, std::int64_t right) {
    const auto one = std::pair(key(left), left);
    const auto other = std::pair(key(right), right);
    return descending ? other < one : one < other;
  });
}

// Sets `target`; whether that makes a difference.
template <class T, class Given>
bool put(T& target, const Given& given) {
  if (!given || target == *given) return false;
  target = *given;
  return true;
}

}  // namespace

bool ReferenceModel::is_taken(const ModelService& service, std::int64_t but) const {
  return std::ranges::any_of(services, [&](const auto& each) {
    return each.first != but && each.second.cluster == service.cluster &&
           each.second.name == service.name;
  });
}

std::vector<std::string> ReferenceModel::written(const std::vector<ModelEnd>& side) const {
  std::vector<std::string> names;
  for (const ModelEnd& end : side) {
    if (end.service != 0)
      names.push_back(services.at(end.service).name);
    else
      names.push_back(end.collection.empty() ? "any"
                                             : std::string(collection_prefix) + end.collection);
  }
  return names;
}

// A collection that emptied may stay where it was; any other name must be there.
std::optional<std::vector<ModelEnd>> ReferenceModel::resolve(
    std::int64_t cluster, const std::vector<std::string>& side,
    const std::vector<ModelEnd>& before) const {
  std::vector<ModelEnd> ends;
  for (const std::string& name : side) {
    ModelEnd end;
    if (name.starts_with(collection_prefix)) end.collection = name.substr(collection_prefix.size());
    const auto found = std::ranges::find_if(services, [&](const auto& each) {
      return each.second.cluster == cluster &&
             (end.collection.empty() ? each.second.name == name
                                     : each.second.collection == end.collection);
    });
    const bool stays = !end.collection.empty() && std::ranges::find(before, end) != before.end();
    if (name != "any" && !stays && found == services.end()) return std::nullopt;
    if (name != "any" && end.collection.empty()) end.service = found->first;
    ends.push_back(end);
  }
  return ends;
}

int ReferenceModel::create(const ModelUser& user, ModelService& service) const {
  if (!clusters.contains(service.cluster) || !user.sees(service.cluster)) return invalid;
  return is_taken(service, 0) ? conflict : made;
}

int ReferenceModel::create(const ModelUser& user, ModelMapping& mapping,
                           const MappingChange& sides) const {
  if (!clusters.contains(mapping.cluster) || !user.sees(mapping.cluster)) return invalid;
  const auto sources = resolve(mapping.cluster, *sides.sources, {});
  const auto destinations = resolve(mapping.cluster, *sides.destinations, {});
  if (!sources || !destinations) return invalid;
  mapping.sources = *sources;
  mapping.destinations = *destinations;
  return made;
}

int ReferenceModel::change(const ModelUser& user, std::int64_t id, const ServiceChange& change,
                           std::optional<std::int64_t> match, std::int64_t now) {
  const auto found = services.find(id);
  if (found == services.end() || !user.sees(found->second.cluster)) return unknown;
  if (match && *match != found->second.revision) return stale;
  ModelService service = found->second;
  bool differs = put(service.name, change.name);
  differs |= put(service.address, change.address);
  differs |= put(service.collection, change.collection);
  differs |= put(service.port, change.port);
  if (!differs) return done;
  if (is_taken(service, id)) return conflict;
  service.updated = now;
  ++service.revision;
  found->second = service;
  return done;
}

int ReferenceModel::change(const ModelUser& user, std::int64_t id, const MappingChange& change,
                           std::optional<std::int64_t> match, std::int64_t now) {
  const auto found = mappings.find(id);
  if (found == mappings.end() || !user.sees(found->second.cluster)) return unknown;
  if (match && *match != found->second.revision) return stale;
  ModelMapping mapping = found->second;
  const auto sources =
      resolve(mapping.cluster, change.sources.value_or(written(mapping.sources)), mapping.sources);
  const auto destinations =
      resolve(mapping.cluster, change.destinations.value_or(written(mapping.destinations)),
              mapping.destinations);
  if (!sources || !destinations) return invalid;
  bool differs = put(mapping.sources, sources);
  differs |= put(mapping.destinations, destinations);
  differs |= put(mapping.priority, change.priority);
  differs |= put(mapping.enabled, change.enabled);
  differs |= put(mapping.comments, change.comments);
  if (!differs) return done;
  mapping.updated = now;
  ++mapping.revision;
  found->second = mapping;
  return done;
}

int ReferenceModel::remove_service(const ModelUser& user, std::int64_t id, std::int64_t now) {
  const auto found = services.find(id);
  if (found == services.end() || !user.sees(found->second.cluster)) return unknown;
  services.erase(found);
  for (auto at = mappings.begin(); at != mappings.end();) {
    ModelMapping& mapping = at->second;
    const auto is_gone = [&](const ModelEnd& end) { return end.service == id; };
    const auto lost =
        std::erase_if(mapping.sources, is_gone) + std::erase_if(mapping.destinations, is_gone);
    if (lost > 0) {
      ++mapping.revision;
      mapping.updated = now;
    }
    at = mapping.sources.empty() || mapping.destinations.empty() ? mappings.erase(at)
                                                                 : std::next(at);
  }
  return done;
}

int ReferenceModel::remove_mapping(const ModelUser& user, std::int64_t id) {
  const auto found = mappings.find(id);
  if (found == mappings.end() || !user.sees(found->second.cluster)) return unknown;
  mappings.erase(found);
  return done;
}

std::vector<std::int64_t> ReferenceModel::list_services(const ModelUser& user,
                                                        const ModelQuery& query) const {
  std::vector<std::int64_t> ids;
  for (const auto& [id, service] : services) {
    if (!user.sees(service.cluster) || (query.cluster && service.cluster != *query.cluster))
      continue;
    if (!query.collection.empty() && service.collection != query.collection) continue;
    if (has(service.name, query.search) || has(service.address, query.search)) ids.push_back(id);
  }
  const std::string key = query.sort.starts_with('-') ? query.sort.substr(1) : query.sort;
  if (key == "name")
    order(ids, query.sort, [&](std::int64_t id) { return services.at(id).name; });
  else
    order(ids, query.sort, [&](std::int64_t id) {
      const ModelService& service = services.at(id);
      return key == "id" ? id : key == "created_at" ? service.created : service.updated;
    });
  return ids;
}

std::vector<std::int64_t> ReferenceModel::list_mappings(const ModelUser& user,
                                                        const ModelQuery& query) const {
  const auto names = [&](const ModelMapping& mapping) {
    std::vector<std::string> all;
    for (const auto* side : {&mapping.sources, &mapping.destinations}) {
      for (const ModelEnd& end : *side)
        all.push_back(end.service != 0 ? services.at(end.service).name : end.collection);
    }
    return all;
  };
  std::vector<std::int64_t> ids;
  for (const auto& [id, mapping] : mappings) {
    if (!user.sees(mapping.cluster) || (query.cluster && mapping.cluster != *query.cluster))
      continue;
    const auto is_source = [&](const ModelEnd& end) {
      return end.service != 0 && services.at(end.service).name == query.source;
    };
    if (!query.source.empty() && std::ranges::none_of(mapping.sources, is_source)) continue;
    if (has(mapping.comments, query.search) ||
        std::ranges::any_of(names(mapping), [&](const std::string& name) {
          return !name.empty() && has(name, query.search);
        }))
      ids.push_back(id);
  }
  const std::string key = query.sort.starts_with('-') ? query.sort.substr(1) : query.sort;
  order(ids, query.sort, [&](std::int64_t id) {
    const ModelMapping& mapping = mappings.at(id);
    return key == "id" ? id : key == "created_at" ? mapping.created : mapping.updated;
  });
  return ids;
}

}  // namespace mp::test
