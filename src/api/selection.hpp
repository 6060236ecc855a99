// From a checked list request to the rows it means: filters, search, order, and only what the
// caller sees.
#pragma once

#include "api/endpoint.hpp"
#include "api/list_memory.hpp"

namespace mp::api {

Selection selection_of(const Description& description, const ListQuery& query);

// Adds `and` to what is there.
void narrow(Selection& selection, const std::string& condition);
// Rows whose `column` names a cluster that the caller sees.
void narrow_to_visible(Selection& selection, const Caller& caller,
                       const std::string& column = "cluster_id");

// "%web\_%": any text with this in it, for LIKE … ESCAPE '\'.
std::string like_part(std::string_view text);

// One page of a list and its size.
template <class T>
Page<T> load_page(Reader& db, const ListQuery& query, Selection selection) {
  Page<T> page{
      .items = {}, .total = db.count<T>(selection), .page = query.page, .limit = query.limit};
  selection.limit = query.limit;
  selection.offset = (query.page - 1) * query.limit;
  if (selection.offset < page.total) page.items = db.select<T>(selection);
  return page;
}

// The same for a noun whose every change is logged: what was counted for one page serves the next
// ones, until something changes.
template <class T>
Page<T> load_long_page(Reader& db, ListMemory& memory, const ListQuery& query,
                       Selection selection) {
  const std::string list = ListMemory::name_of(describe<T>, selection);
  const std::int64_t revision = db.revision();
  const std::int64_t offset = (query.page - 1) * query.limit;
  const auto known = memory.recall(list, revision, offset);
  Page<T> page{.items = {},
               .total = known.total ? *known.total : db.count<T>(selection),
               .page = query.page,
               .limit = query.limit};
  selection.limit = query.limit;
  selection.from_id = known.place.id;
  selection.offset = offset - known.place.offset;
  if (offset < page.total) page.items = db.select<T>(selection);
  memory.keep(list, revision, page.total,
              {.offset = offset, .id = page.items.empty() ? 0 : page.items.front().id});
  return page;
}

// The object, when it is there and the caller sees its cluster; NotFound otherwise.
template <class T>
T get_visible(Reader& db, const Caller& caller, std::int64_t id) {
  auto object = db.find<T>(id);
  if (!object || !may_see(caller, object->cluster_id)) throw not_found(describe<T>.name);
  return *std::move(object);
}

// Throws a violation of cluster_id unless there is such a cluster and the caller sees it.
void check_cluster(Reader& db, const Caller& caller, std::int64_t cluster_id);
// The same beside other violations, unless one of them is of cluster_id; none is no cluster's.
void look_for_cluster(Reader& db, const Caller& caller, std::optional<std::int64_t> cluster_id,
                      Violations& violations);

}  // namespace mp::api
