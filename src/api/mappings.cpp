#include "api/context.hpp"
#include "api/draft.hpp"
#include "api/nouns.hpp"
#include "api/references.hpp"
#include "api/selection.hpp"
#include "model/filters.hpp"
#include "xds/load.hpp"

namespace mp::api {

namespace {

void show_status(Call& call, std::vector<Mapping*> mappings) {
  StatusReader statuses(call, mappings);
  statuses.see_unpublished(call);
  for (Mapping* mapping : mappings) {
    mapping->status = mapping->enabled
                          ? statuses.of(describe<Mapping>, mapping->id, mapping->cluster_id)
                          : Status{};
  }
}

Mapping load_visible(Reader& db, const Caller& caller, std::int64_t id) {
  Mapping mapping = get_visible<Mapping>(db, caller, id);
  xds::fill_references(db, {&mapping});
  return mapping;
}

void refuse_clash(Reader& db, const Mapping& mapping) {
  const auto other = xds::find_tcp_clash(db, mapping);
  if (!other) return;
  Error error = conflict("ports", "TCP mapping " + std::to_string(*other) +
                                      " uses one of these ports, and nothing tells the two apart");
  error.details["mapping_id"] = *other;
  throw error;
}

void narrow_to_side(Selection& selection, const ListQuery& query, const std::string& filter,
                    const std::string& side) {
  const auto* wanted = query.filter(filter);
  if (!wanted) return;
  constexpr std::string_view collection = "collection:";
  std::string name(wanted->as_string());
  std::string ends = "mapping_ends e JOIN services s ON s.id = e.service_id WHERE s.name = :";
  if (name == "any") ends = "mapping_ends e WHERE e.kind = :";
  if (name.starts_with(collection)) {
    ends = "mapping_ends e WHERE e.kind = 'collection' AND e.name = :";
    name.erase(0, collection.size());
  }
  narrow(selection,
         "id IN (SELECT e.mapping_id FROM " + ends + filter + " AND e.side = '" + side + "')");
  selection.values.emplace_back(filter, std::move(name));
}

// The search covers the comments and the names of the services.
Selection search_selection(const ListQuery& query) {
  ListQuery without = query;
  without.search.clear();
  Selection selection = selection_of(describe<Mapping>, without);
  if (query.search.empty()) return selection;
  narrow(
      selection,
      "(LOWER(comments) LIKE :search ESCAPE '\\' OR id IN (SELECT e.mapping_id FROM mapping_ends e "
      "LEFT JOIN services s ON s.id = e.service_id "
      "WHERE LOWER(COALESCE(s.name, e.name)) LIKE :search ESCAPE '\\'))");
  selection.values.emplace_back("search", like_part(query.search));
  return selection;
}

void show_written(Call& call, Mapping& mapping) {
  mapping.status = mapping.enabled
                       ? StatusReader(call, std::vector{&mapping}).of_written(mapping.cluster_id)
                       : Status{};
}

Page<Mapping> list_mappings(Call& call, Listing<Mapping> query) {
  Page<Mapping> page;
  call.read([&](Reader& db) {
    Selection selection = search_selection(query);
    narrow_to_side(selection, query, "source_service", "source");
    narrow_to_side(selection, query, "dest_service", "dest");
    narrow_to_visible(selection, call.caller);
    page = load_long_page<Mapping>(db, call.context.lists, query, selection);
    xds::fill_references(db, pointers(page.items));
  });
  show_status(call, pointers(page.items));
  return page;
}

Created<Mapping> create_mapping(Call& call, Draft<Mapping> body) {
  refuse_breaches(call, body.violations, [&](Reader& db, Violations& violations) {
    look_for_cluster(db, call.caller, body.value.cluster_id, violations);
    if (!is_broken(violations, "cluster_id"))
      resolve_references(db, body.value, Mapping{}, violations);
  });
  return write<Created<Mapping>>(call, [&](Writer& db) {
    Mapping mapping = body.value;
    check_cluster(db, call.caller, mapping.cluster_id);
    Violations violations;
    resolve_references(db, mapping, Mapping{}, violations);
    refuse(std::move(violations));
    refuse_clash(db, mapping);
    db.insert(mapping);
    keep_references(db, mapping);
    call.revision_cluster = mapping.cluster_id;
    show_written(call, mapping);
    return Created<Mapping>{std::move(mapping)};
  });
}

Mapping get_mapping(Call& call, Id<Mapping> id) {
  Mapping mapping;
  call.read([&](Reader& db) { mapping = load_visible(db, call.caller, id.value); });
  show_status(call, {&mapping});
  return mapping;
}

Mapping update_mapping(Call& call, Id<Mapping> id, Change<Mapping> change) {
  return write<Mapping>(call, [&](Writer& db) {
    const Mapping before = load_visible(db, call.caller, id.value);
    Mapping mapping = before;
    Violations violations = change.read(mapping);
    resolve_references(db, mapping, before, violations);
    refuse(std::move(violations));
    refuse_clash(db, mapping);
    const bool changed = db.update(mapping, before);
    call.revision_cluster = mapping.cluster_id;
    if (!changed) {
      show_status(call, {&mapping});
      return mapping;
    }
    keep_references(db, mapping);
    show_written(call, mapping);
    return mapping;
  });
}

Done delete_mapping(Call& call, Id<Mapping> id) {
  return write<Done>(call, [&](Writer& db) {
    const Mapping mapping = load_visible(db, call.caller, id.value);
    check_match(call, describe<Mapping>, &mapping);
    db.execute("DELETE FROM mapping_ends WHERE mapping_id = :mapping", {{"mapping", mapping.id}});
    db.remove(mapping);
    call.revision_cluster = mapping.cluster_id;
    return Done{"Mapping deleted"};
  });
}

}  // namespace

void mappings(Endpoints& endpoints) {
  endpoints.add(
      {.id = "list_mappings", .call = "GET /mappings", .summary = "List traffic mappings."},
      list_mappings);
  endpoints.add({.id = "create_mapping",
                 .call = "POST /mappings",
                 .summary = "Create a traffic mapping.",
                 .errors = {Code::Conflict}},
                create_mapping);
  endpoints.add({.id = "get_mapping",
                 .call = "GET /mappings/{id}",
                 .summary = "Get a mapping.",
                 .effort = Effort::Quick},
                get_mapping);
  endpoints.add({.id = "update_mapping",
                 .call = "PUT /mappings/{id}",
                 .summary = "Change the fields that are sent.",
                 .errors = {Code::Conflict}},
                update_mapping);
  endpoints.add({.id = "patch_mapping",
                 .call = "PATCH /mappings/{id}",
                 .summary = "Change by JSON merge patch.",
                 .errors = {Code::Conflict}},
                update_mapping);
  endpoints.add(
      {.id = "delete_mapping", .call = "DELETE /mappings/{id}", .summary = "Delete a mapping."},
      delete_mapping);
}

}  // namespace mp::api
