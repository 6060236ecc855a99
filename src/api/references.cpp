#include "api/references.hpp"

#include "api/context.hpp"
#include "api/draft.hpp"
#include "xds/load.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace mp::api {
namespace {

constexpr std::int64_t most_unpublished =
    1000;  // entries; the hub is never that far behind for long

using Values = std::vector<std::pair<std::string, Cell>>;

bool has_service(Reader& db, std::int64_t cluster_id, ServiceRef& reference) {
  const auto rows =
      db.query("SELECT id FROM services WHERE cluster_id = :cluster AND name = :name",
               {{"cluster", cluster_id}, {"name", reference.name}}, {Column::Integer});
  if (rows.empty()) return false;
  reference.service_id = std::get<std::int64_t>(rows[0][0]);
  return true;
}

bool has_collection(Reader& db, std::int64_t cluster_id, const std::string& name) {
  return !db.query(
                "SELECT id FROM services WHERE cluster_id = :cluster AND collection = :name LIMIT "
                "1",
                {{"cluster", cluster_id}, {"name", name}}, {Column::Integer})
              .empty();
}

void resolve_side(Reader& db, std::int64_t cluster_id, std::vector<ServiceRef>& side,
                  const std::vector<ServiceRef>& before, const std::string& field,
                  Violations& violations) {
  if (is_broken_as_a_whole(violations, field)) return;
  for (std::size_t at = 0; at < side.size(); ++at) {
    const std::string place = field + "[" + std::to_string(at) + "]";
    if (is_broken(violations, place)) continue;
    ServiceRef& reference = side[at];
    if (reference.kind == ServiceRef::Kind::Any || reference.service_id != 0) continue;
    if (std::ranges::find(before, reference) != before.end()) continue;
    const bool found = reference.kind == ServiceRef::Kind::Service
                           ? has_service(db, cluster_id, reference)
                           : has_collection(db, cluster_id, reference.name);
    if (found) continue;
    const std::string what = reference.kind == ServiceRef::Kind::Service
                                 ? "No service of this name in the cluster"
                                 : "No service of this collection in the cluster";
    violations.push_back({place, what, ShapeOf<ServiceRef>::to_json(reference)});
  }
}

void keep_side(Writer& db, const Mapping& mapping, Side side,
               const std::vector<ServiceRef>& references) {
  std::int64_t position = 0;
  for (const ServiceRef& reference : references) {
    const bool service = reference.kind == ServiceRef::Kind::Service;
    const bool any = reference.kind == ServiceRef::Kind::Any;
    const std::string kind = service ? "service" : any ? "any" : "collection";
    const Values values{{"mapping", mapping.id},
                        {"side", std::string(names_of<Side>[static_cast<std::size_t>(side)])},
                        {"position", position++},
                        {"kind", kind},
                        {"service", service ? Cell(reference.service_id) : Cell()},
                        {"name", service || any ? Cell() : Cell(reference.name)}};
    db.execute(
        "INSERT INTO mapping_ends (mapping_id, side, position, kind, service_id, name) "
        "VALUES (:mapping, :side, :position, :kind, :service, :name)",
        values);
  }
}

bool lose(std::vector<ServiceRef>& side, std::int64_t service_id) {
  std::erase_if(side,
                [&](const ServiceRef& reference) { return reference.service_id == service_id; });
  return !side.empty();
}

}  // namespace

std::vector<std::int64_t> StatusReader::clusters_of(const Call& call,
                                                    std::optional<std::int64_t> cluster_id) {
  return cluster_id ? std::vector{*cluster_id} : call.context.hub.clusters();
}

void StatusReader::read(
    Call& call,
    const std::map<std::int64_t, std::vector<std::pair<std::string, std::int64_t>>>& wanted) {
  published_ = call.context.hub.revision();
  for (const auto& [cluster_id, objects] : wanted) {
    views_.emplace(cluster_id, call.context.hub.view(cluster_id, objects));
  }
}

void StatusReader::see_unpublished(Call& call) {
  if (call.context.store.revision() <= published_) return;
  call.context.store.read([&](Reader& db) {
    for (const ChangeHead& entry : db.change_heads_after(published_, most_unpublished)) {
      const bool shown = entry.resource == describe<Service>.name ||
                         entry.resource == describe<Mapping>.name ||
                         entry.resource == describe<Certificate>.name;
      if (!shown) continue;
      for (auto& [cluster_id, view] : views_) {
        if (entry.cluster_id.value_or(cluster_id) == cluster_id)
          view.changed[{entry.resource, std::stoll(entry.object_id)}] = entry.revision;
      }
    }
  });
}

Status StatusReader::of(const Description& noun, std::int64_t id, std::int64_t cluster_id) const {
  return views_.at(cluster_id).of(noun.name, id);
}

// Of all the clusters that have proxies: the worst of them, with all reasons.
Status StatusReader::of(const Description& noun, std::int64_t id,
                        std::optional<std::int64_t> cluster_id) const {
  if (cluster_id) return of(noun, id, *cluster_id);
  constexpr std::array badness{1, 2, 5, 3, 4, 0};  // of State, in its order
  const auto bad = [&](State state) { return badness[static_cast<std::size_t>(state)]; };
  Status whole;
  for (const auto& [each, view] : views_) {
    Status part = view.of(noun.name, id);
    if (bad(part.state) > bad(whole.state)) whole.state = part.state;
    std::ranges::move(part.reasons, std::back_inserter(whole.reasons));
  }
  return whole;
}

Status StatusReader::of_written(std::optional<std::int64_t> cluster_id) const {
  const bool connected =
      cluster_id
          ? views_.at(*cluster_id).connected
          : std::ranges::any_of(views_, [](const auto& each) { return each.second.connected; });
  return {.state = connected ? State::Pending : State::Idle, .reasons = {}};
}

Status StatusReader::settled(const xds::Hub& hub, const Written& written) {
  StatusReader statuses;
  const std::pair<std::string, std::int64_t> object(written.noun.name, written.id);
  for (const std::int64_t cluster_id :
       written.cluster_id ? std::vector{*written.cluster_id} : hub.clusters()) {
    xds::ClusterView& view = statuses.views_[cluster_id] = hub.view(cluster_id, {object});
    view.changed[object] = written.revision;  // a later change is not what the answer is about
  }
  return statuses.of(written.noun, written.id, written.cluster_id);
}

void resolve_references(Reader& db, Mapping& mapping, const Mapping& before,
                        Violations& violations) {
  resolve_side(db, mapping.cluster_id, mapping.source_services, before.source_services,
               "source_services", violations);
  resolve_side(db, mapping.cluster_id, mapping.dest_services, before.dest_services, "dest_services",
               violations);
}

void keep_references(Writer& db, const Mapping& mapping) {
  db.execute("DELETE FROM mapping_ends WHERE mapping_id = :mapping", {{"mapping", mapping.id}});
  keep_side(db, mapping, Side::Source, mapping.source_services);
  keep_side(db, mapping, Side::Dest, mapping.dest_services);
}

void take_from_mappings(Writer& db, const Service& service) {
  auto mappings = xds::load_mappings(
      db, {.where = "id IN (SELECT mapping_id FROM mapping_ends WHERE service_id = :service)",
           .values = {{"service", service.id}}});
  for (Mapping& mapping : mappings) {
    const Mapping before = mapping;
    const bool sources = lose(mapping.source_services, service.id);
    const bool destinations = lose(mapping.dest_services, service.id);
    if (sources && destinations) {
      db.update(mapping, before);
      keep_references(db, mapping);
    } else {
      db.execute("DELETE FROM mapping_ends WHERE mapping_id = :mapping", {{"mapping", mapping.id}});
      db.remove(before);
    }
  }
}

}  // namespace mp::api
