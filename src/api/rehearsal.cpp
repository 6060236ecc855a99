#include "api/rehearsal.hpp"

#include "api/api.hpp"
#include "api/feature.hpp"
#include "xds/load.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <set>

namespace mp::api {
namespace {

namespace json = boost::json;

constexpr std::chrono::seconds longest_try{5};
constexpr std::int64_t most_entries = 20'000;

template <class T>
std::string name_of(T value) {
  return std::string(names_of<T>[static_cast<std::size_t>(value)]);
}

// "create_service": the ids of endpoints say what they do to what.
const Endpoint& endpoint_of(const PlannedChange& change) {
  const std::string id = name_of(change.action) + "_" + name_of(change.type);
  const auto& all = all_endpoints().all();
  const auto found =
      std::ranges::find(all, id, [](const Endpoint& each) { return each.declaration.id; });
  if (found == all.end()) throw internal("no endpoint " + id);
  return *found;
}

Parameters query_of(const PlannedChange& change) {
  Parameters query;
  if (!change.data) return query;
  for (const auto& member : change.data->members) {
    const auto* text = member.value().if_string();
    query.emplace_back(member.key(), text ? std::string(*text) : json::serialize(member.value()));
  }
  return query;
}

// As the request by itself would run, from the caller's permission on.
void run(const Call& whole, Writer& db, const PlannedChange& change) {
  const Endpoint& endpoint = endpoint_of(change);
  const bool deletes = change.action == PlannedAction::Delete;
  const http::Request request{.method = endpoint.method,
                              .target = endpoint.path,
                              .headers = {},
                              .body = deletes ? "" : json::serialize(change.data->members),
                              .peer = whole.request.peer};
  Call call(request, whole.context);
  call.caller = whole.caller;
  call.request_id = whole.request_id;
  call.within = &db;
  if (change.id) call.path = {{"id", std::to_string(*change.id)}};
  if (deletes) call.query = query_of(change);
  permit({endpoint.declaration.needs, endpoint.declaration.through, Permission::Write},
         call.caller);
  demand(call, endpoint.declaration.feature);
  endpoint.run(call);
}

// Of what the error is about, as a path into the request.
std::string place_of(const Error& error, const std::string& place) {
  const auto* field = error.details.if_contains("field");
  if (field) return place + ".data." + std::string(field->as_string());
  return error.code == Code::NotFound ? place + ".id" : place;
}

void add_problems(const Error& error, std::size_t at, std::vector<PlanProblem>& problems) {
  const std::string place = "changes[" + std::to_string(at) + "]";
  PlanProblem problem{.change = static_cast<int>(at),
                      .field = place_of(error, place),
                      .code = std::string(facts(error.code).name),
                      .issue = words_of(error),
                      .details = {error.details}};
  problem.details.members.erase("field");
  problem.details.members.erase("issue");
  if (error.violations.empty()) return problems.push_back(std::move(problem));
  for (const Violation& violation : error.violations) {
    problem.field = place + ".data" + (violation.field == "body" ? "" : "." + violation.field);
    problem.issue = violation.issue;
    problem.details.members.clear();
    if (violation.provided) problem.details.members["provided"] = *violation.provided;
    problems.push_back(problem);
  }
}

// What is nobody's mistake ends the plan as it would end the request.
bool is_refusal(const Error& error) {
  return error.code != Code::Internal && error.code != Code::Unavailable;
}

std::int64_t number(const std::string& text) { return std::strtoll(text.c_str(), nullptr, 10); }

class Trial {
 public:
  Trial(const Call& call, Writer& db, Rehearsal& rehearsal)
      : call_(call), db_(db), rehearsal_(rehearsal) {}

  void run(const std::vector<PlannedChange>& changes) {
    rehearsal_.revision = db_.revision();
    std::set<std::int64_t> clusters;
    db_.undone([&] {
      make(changes);
      take_entries();
      take_objects();
      clusters = concerned();
    });
    for (const std::int64_t id : clusters) complete(id);
  }

 private:
  void make(const std::vector<PlannedChange>& changes) {
    const auto end = std::chrono::steady_clock::now() + longest_try;
    for (std::size_t at = 0; at < changes.size(); ++at) {
      if (std::chrono::steady_clock::now() > end)
        throw unavailable("The plan takes too long; ask for fewer changes", "a plan over 5 s");
      try {
        db_.attempt([&] { api::run(call_, db_, changes[at]); });
      } catch (const Error& error) {
        if (!is_refusal(error)) throw;
        add_problems(error, at, rehearsal_.problems);
      }
    }
  }

  void take_entries() {
    rehearsal_.entries = db_.changes_after(rehearsal_.revision, most_entries + 1);
    if (rehearsal_.entries.size() > most_entries)
      throw invalid("changes", "Would change more than 20000 objects");
  }

  // What the changes touched, as they leave it. The rest of a cluster is as it was.
  void take_objects() {
    for (const ChangeEntry& entry : rehearsal_.entries) {
      if (!xds::is_intent(entry.resource)) continue;
      const std::int64_t id = number(entry.object_id);
      xds::reload(db_, made_, entry.resource, id);
      if (entry.resource == describe<Cluster>.name) clusters_[id] = made_.cluster;
    }
  }

  std::set<std::int64_t> concerned() {
    std::set<std::int64_t> ids;
    bool all = false;
    for (const ChangeEntry& entry : rehearsal_.entries) {
      if (entry.cluster_id)
        ids.insert(*entry.cluster_id);
      else
        all = true;
    }
    if (!all) return ids;
    for (const Row& row : db_.query("SELECT id FROM clusters", {}, {Column::Integer}))
      ids.insert(std::get<std::int64_t>(row[0]));
    return ids;
  }

  // Those that were not touched keep their address, by which the translation knows that they are
  // the same.
  void complete(std::int64_t id) {
    Rehearsal::Fleet& fleet = rehearsal_.fleets[id];
    fleet.before = xds::load_config(db_, id);
    fleet.proxies =
        db_.select<Proxy>({.where = "cluster_id = :cluster", .values = {{"cluster", id}}});
    auto after = std::make_shared<xds::ClusterConfig>(*fleet.before);
    put(id, after->services, made_.services);
    put(id, after->mappings, made_.mappings);
    put(id, after->certificates, made_.certificates);
    put(id, after->issuers, made_.issuers);
    if (const auto changed = clusters_.find(id); changed != clusters_.end())
      after->cluster = changed->second;
    fleet.after = std::move(after);
  }

  // Touched ones that are not among `made` have gone.
  template <class T>
  void put(std::int64_t cluster_id, xds::Rows<T, &T::id>& rows, const xds::Rows<T, &T::id>& made) {
    typename xds::Rows<T, &T::id>::Changes changes;
    for (const ChangeEntry& entry : rehearsal_.entries) {
      if (entry.resource != describe<T>.name) continue;
      if (entry.cluster_id && *entry.cluster_id != cluster_id) continue;
      const std::int64_t id = number(entry.object_id);
      changes[id] = made.find(id);
    }
    rows.take(changes);
  }

  const Call& call_;
  Writer& db_;
  Rehearsal& rehearsal_;
  xds::ClusterConfig made_;  // of all clusters
  std::map<std::int64_t, std::shared_ptr<const Cluster>> clusters_;
};

// The members that differ, but for the time of the change.
std::vector<std::string> differing(const json::object& before, const json::object& after) {
  std::vector<std::string> names;
  for (const auto& member : after) {
    const auto* old = before.if_contains(member.key());
    if (member.key() != "updated_at" && (!old || *old != member.value()))
      names.emplace_back(member.key());
  }
  return names;
}

json::object object_in(const std::string& text) {
  return text.empty() ? json::object() : json::parse(text).as_object();
}

PlannedObject object_of(const ChangeEntry& first, const ChangeEntry& last) {
  const json::object before = object_in(first.before);
  const json::object after = object_in(last.after);
  const auto* name = (after.empty() ? before : after).if_contains("name");
  PlannedObject object{
      .type = last.resource,
      .id = number(last.object_id),
      .name = name ? std::string(name->as_string()) : last.resource + " " + last.object_id,
      .cluster_id = last.cluster_id};
  if (last.action == Action::Delete)
    object.deed = PlannedDeed::Delete;
  else if (first.action != Action::Create)
    object.deed = PlannedDeed::Update;
  if (object.deed == PlannedDeed::Update) object.fields = differing(before, after);
  return object;
}

}  // namespace

Rehearsal rehearse(Call& call, const std::vector<PlannedChange>& changes) {
  Rehearsal rehearsal;
  call.context.store.rehearse(call.actor(), [&](Writer& db) {
    rehearsal = {};
    Trial(call, db, rehearsal).run(changes);
  });
  return rehearsal;
}

std::vector<PlannedObject> objects_of(const std::vector<ChangeEntry>& entries) {
  struct Story {
    const ChangeEntry* first = nullptr;
    const ChangeEntry* last = nullptr;
  };
  std::vector<Story> stories;
  std::map<std::pair<std::string_view, std::string_view>, std::size_t> known;
  for (const ChangeEntry& entry : entries) {
    const auto [at, is_new] = known.try_emplace({entry.resource, entry.object_id}, stories.size());
    if (is_new) stories.push_back({&entry, &entry});
    stories[at->second].last = &entry;
  }
  std::vector<PlannedObject> objects;
  for (const Story& story : stories) {
    const bool came_and_went =
        story.first->action == Action::Create && story.last->action == Action::Delete;
    PlannedObject object = object_of(*story.first, *story.last);
    const bool same = object.deed == PlannedDeed::Update && object.fields.empty();
    if (!came_and_went && !same) objects.push_back(std::move(object));
  }
  return objects;
}

}  // namespace mp::api
