#include "xds/load.hpp"

#include "xds/build.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <unordered_map>

namespace mp::xds {
namespace {

constexpr std::size_t most_in_one_query = 200;

template <class T>
std::vector<std::shared_ptr<const T>> share(std::vector<T> objects) {
  std::vector<std::shared_ptr<const T>> shared;
  shared.reserve(objects.size());
  for (T& object : objects) shared.push_back(std::make_shared<const T>(std::move(object)));
  return shared;
}

ServiceRef reference(const Row& row) {
  const auto& kind = std::get<std::string>(row[2]);
  if (kind == "any") return {.kind = ServiceRef::Kind::Any, .service_id = 0, .name = ""};
  const auto* name = std::get_if<std::string>(&row[4]);
  if (kind == "collection")
    return {.kind = ServiceRef::Kind::Collection, .service_id = 0, .name = name ? *name : ""};
  return {.kind = ServiceRef::Kind::Service,
          .service_id = std::get<std::int64_t>(row[3]),
          .name = name ? *name : ""};
}

// The rows of some mappings' ends, in order, onto the mappings.
void fill_some(Reader& db, std::span<Mapping* const> mappings) {
  std::unordered_map<std::int64_t, Mapping*> by_id;
  std::string ids;
  for (Mapping* mapping : mappings) {
    by_id[mapping->id] = mapping;
    ids.append(ids.empty() ? "" : ",")
        .append(std::to_string(mapping->id));  // integers of ours: no injection
    mapping->source_services.clear();
    mapping->dest_services.clear();
  }
  const auto rows = db.query(
      "SELECT e.mapping_id, e.side, e.kind, e.service_id, COALESCE(s.name, e.name) FROM "
      "mapping_ends e "
      "LEFT JOIN services s ON s.id = e.service_id WHERE e.mapping_id IN (" +
          ids +
          ") "
          "ORDER BY e.mapping_id, e.side, e.position",
      {}, {Column::Integer, Column::Text, Column::Text, Column::Integer, Column::Text});
  for (const Row& row : rows) {
    Mapping& mapping = *by_id.at(std::get<std::int64_t>(row[0]));
    auto& side =
        std::get<std::string>(row[1]) == "source" ? mapping.source_services : mapping.dest_services;
    side.push_back(reference(row));
  }
}

bool is_tcp(const Mapping& mapping) {
  return std::ranges::find(mapping.protocols, Protocol::Tcp) != mapping.protocols.end();
}

bool share_port(const Mapping& left, const Mapping& right) {
  return std::ranges::any_of(left.ports, [&](const Ports& one) {
    return std::ranges::any_of(right.ports, [&](const Ports& other) {
      return one.first <= other.last && other.first <= one.last;
    });
  });
}

// Keys of authorities stay with who issues.
std::vector<Issuer> load_issuers(Reader& db, const Selection& selection) {
  auto issuers = db.select<Issuer>(selection);
  for (Issuer& issuer : issuers) issuer.key_pem = Secret();
  return issuers;
}

Selection in_cluster(std::int64_t cluster_id) {
  return {.where = "cluster_id = :cluster", .values = {{"cluster", cluster_id}}};
}

// The other TCP mappings of the cluster that use one of its ports, told from two columns: there may
// be thousands that do not.
std::vector<std::int64_t> sharing_ports(Reader& db, const Mapping& candidate) {
  const auto rows = db.query(
      "SELECT id, ports FROM mappings WHERE cluster_id = :cluster AND enabled = 1 AND "
      "protocols LIKE '%\"tcp\"%' AND id <> :id",
      {{"cluster", candidate.cluster_id}, {"id", candidate.id}}, {Column::Integer, Column::Text});
  std::vector<std::int64_t> ids;
  for (const Row& row : rows) {
    Mapping other;
    ShapeOf<std::vector<Ports>>::from_cell(other.ports, row[1]);
    if (share_port(other, candidate)) ids.push_back(std::get<std::int64_t>(row[0]));
  }
  return ids;
}

// In as many queries as it takes.
template <class Load>
auto load_by_id(std::span<const std::int64_t> ids, Load load) {
  decltype(load(Selection())) objects;
  while (!ids.empty()) {
    const auto some = ids.first(std::min(ids.size(), most_in_one_query));
    std::string list;
    for (const std::int64_t id : some)  // integers of ours: no injection
      list.append(list.empty() ? "" : ",").append(std::to_string(id));
    std::ranges::move(load(Selection{.where = "id IN (" + list + ")"}),
                      std::back_inserter(objects));
    ids = ids.subspan(some.size());
  }
  return objects;
}

// The services that mappings of one cluster name; one that is named twice may be there twice.
std::vector<Service> load_named(Reader& db, const std::vector<Mapping>& mappings) {
  std::set<std::int64_t> ids;
  std::set<std::string> collections;
  for (const Mapping& mapping : mappings) {
    for (const auto* side : {&mapping.source_services, &mapping.dest_services}) {
      for (const ServiceRef& reference : *side) {
        if (reference.kind == ServiceRef::Kind::Service) ids.insert(reference.service_id);
        if (reference.kind == ServiceRef::Kind::Collection) collections.insert(reference.name);
      }
    }
  }
  auto services = load_by_id(std::vector(ids.begin(), ids.end()),
                             [&](const Selection& some) { return db.select<Service>(some); });
  for (const std::string& collection : collections) {
    Selection theirs = in_cluster(mappings.front().cluster_id);
    theirs.where += " AND collection = :collection";
    theirs.values.emplace_back("collection", collection);
    std::ranges::move(db.select<Service>(theirs), std::back_inserter(services));
  }
  return services;
}

// Puts the object in its place by id, or takes it away when it is gone (then the answer is false).
template <class T>
bool place(Rows<T, &T::id>& objects, std::int64_t id, std::optional<T> object) {
  if (!object) {
    objects.erase(id);
    return false;
  }
  objects.put(std::make_shared<const T>(*std::move(object)));
  return true;
}

std::optional<Mapping> find_mapping(Reader& db, std::int64_t id) {
  auto found = load_mappings(db, {.where = "id = :id", .values = {{"id", id}}});
  return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
}

}  // namespace

void fill_references(Reader& db, const std::vector<Mapping*>& mappings) {
  const std::span<Mapping* const> all(mappings);
  for (std::size_t at = 0; at < all.size(); at += most_in_one_query) {
    fill_some(db, all.subspan(at, std::min(most_in_one_query, all.size() - at)));
  }
}

std::vector<Mapping> load_mappings(Reader& db, const Selection& selection) {
  auto mappings = db.select<Mapping>(selection);
  std::vector<Mapping*> pointers;
  for (Mapping& mapping : mappings) pointers.push_back(&mapping);
  fill_references(db, pointers);
  return mappings;
}

std::optional<Issuer> load_issuer(Reader& db, std::int64_t id) {
  auto found = load_issuers(db, {.where = "id = :id", .values = {{"id", id}}});
  return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
}

ClusterConfigPtr load_config(Reader& db, std::int64_t cluster_id) {
  auto cluster = db.find<Cluster>(cluster_id);
  if (!cluster) return nullptr;
  auto config = std::make_shared<ClusterConfig>();
  config->cluster = std::make_shared<const Cluster>(*std::move(cluster));
  config->services = share(db.select<Service>(in_cluster(cluster_id)));
  config->mappings = share(load_mappings(db, in_cluster(cluster_id)));
  Selection theirs = in_cluster(cluster_id);
  theirs.where += " OR cluster_id IS NULL";
  config->certificates = share(db.select<Certificate>(theirs));
  config->issuers = share(load_issuers(db, {}));
  return config;
}

bool reload(Reader& db, ClusterConfig& config, std::string_view noun, std::int64_t id) {
  if (noun == "service") return place(config.services, id, db.find<Service>(id));
  if (noun == "mapping") return place(config.mappings, id, find_mapping(db, id));
  if (noun == "certificate") return place(config.certificates, id, db.find<Certificate>(id));
  if (noun == "issuer") return place(config.issuers, id, load_issuer(db, id));
  config.cluster = std::make_shared<const Cluster>(db.get<Cluster>(id));
  return true;
}

bool is_intent(std::string_view noun) {
  constexpr std::string_view nouns[] = {"cluster", "service", "mapping", "certificate", "issuer"};
  return std::ranges::find(nouns, noun) != std::end(nouns);
}

std::optional<std::int64_t> find_tcp_clash(Reader& db, const Mapping& candidate) {
  if (!is_tcp(candidate) || !candidate.enabled) return std::nullopt;
  auto others = load_by_id(sharing_ports(db, candidate),
                           [&](const Selection& some) { return load_mappings(db, some); });
  if (others.empty()) return std::nullopt;
  ClusterConfig config;
  others.push_back(candidate);
  config.services = share(load_named(db, others));
  others.pop_back();
  config.mappings = share(std::move(others));
  const Mapping* clash = tcp_clash(config, candidate);
  return clash ? std::optional(clash->id) : std::nullopt;
}

}  // namespace mp::xds
