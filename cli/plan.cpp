#include "cli/plan.hpp"

#include "base/utf8.hpp"
#include "cli/certificate_files.hpp"
#include "cli/difference.hpp"
#include "cli/look.hpp"
#include "cli/names.hpp"
#include "cli/objects.hpp"
#include "model/cluster.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <set>

namespace mp::cli {
namespace {

namespace json = boost::json;

struct Wanted {
  const Resource* resource = nullptr;
  json::object body;
  std::string place;
  json::object files{};
};

std::string text_of(const json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : json::serialize(value);
}

Wanted wanted_of(const json::value& value, const std::string& place, const std::string& folder) {
  const auto* object = value.if_object();
  if (!object) throw wrong_usage(place + ": must be an object with a kind");
  const std::string kind = text_at(value, "kind");
  const Resource* resource = find_resource(kind);
  if (!resource || !resource->in_files()) {
    std::string kinds;
    for (const Resource& each : all_resources()) {
      if (each.in_files()) kinds.append(kinds.empty() ? "" : ", ").append(each.file_kind());
    }
    throw wrong_usage(place + ": kind must be one of " + kinds);
  }
  Wanted wanted{resource, without_server_fields(*resource->noun, *object), place};
  wanted.body.erase("kind");
  wanted.files = take_files(*resource, wanted.body, folder, place);
  return wanted;
}

// A document is an object or a list of them.
std::vector<Wanted> all_wanted(const std::vector<Document>& documents) {
  std::vector<Wanted> wanted;
  for (const Document& document : documents) {
    const auto* list = document.value.if_array();
    if (!list) wanted.push_back(wanted_of(document.value, document.place, document.folder));
    for (std::size_t at = 0; list && at < list->size(); ++at)
      wanted.push_back(wanted_of((*list)[at], document.place + ", object " + std::to_string(at + 1),
                                 document.folder));
  }
  if (wanted.empty()) throw wrong_usage("there is nothing to apply");
  return wanted;
}

class Planner {
 public:
  Planner(Client& client, std::vector<Wanted> wanted, Prune prune)
      : client_(client), wanted_(std::move(wanted)), prune_(prune), clusters_(client) {}

  Plan plan() {
    for (const Wanted& each : wanted_) {
      const std::string name = text_at(each.body, "name");
      if (each.resource->noun == &describe<Cluster> && !name.empty()) clusters_.will_make(name);
    }
    for (Wanted& each : wanted_) resolve(each);
    for (const Resource& resource : all_resources()) plan_kind(resource);
    if (!breaches_.empty()) {
      throw Failure(Exit::Usage, "the files break rules; nothing was changed", breaches_);
    }
    // Mappings go before the services that they name.
    std::ranges::reverse(deletions_);
    for (Step& step : deletions_) steps_.push_back(std::move(step));
    return {std::move(steps_), std::move(clusters_)};
  }

 private:
  void resolve(Wanted& wanted) {
    const Description& noun = *wanted.resource->noun;
    const Field* cluster = find_field(noun, "cluster_id");
    const bool needs_cluster = cluster && required(noun, *cluster);
    if (needs_cluster && !wanted.body.contains("cluster") && !wanted.body.contains("cluster_id") &&
        clusters_.only())
      wanted.body["cluster_id"] = *clusters_.only();
    visit_references(noun, wanted.body, [&](const Resource&, json::value& value) {
      if (needs_cluster || !value.is_null()) value = clusters_.id_of(value, wanted.place);
    });
    if (needs_cluster && !wanted.body.contains("cluster_id"))
      breaches_.push_back(wanted.place + ": cluster: Is required, as there are several");
  }

  // By cluster, so that names are compared where they are unique.
  void plan_kind(const Resource& resource) {
    std::map<std::int64_t, std::vector<const Wanted*>> groups;
    for (const Wanted& each : wanted_) {
      if (each.resource == &resource) groups[number_at(each.body, "cluster_id")].push_back(&each);
    }
    for (const auto& [cluster, group] : groups) {
      std::vector<json::object> existing;
      if (!clusters_.is_provisional(cluster)) {
        QueryText query;
        if (cluster > 0) query.emplace_back("cluster_id", std::to_string(cluster));
        existing = list_objects(client_, resource, query).objects;
      }
      plan_group(resource, group, existing);
    }
  }

  void plan_group(const Resource& resource, const std::vector<const Wanted*>& group,
                  const std::vector<json::object>& existing) {
    const auto matches = resource.key == "id" ? unnamed(resource, group, existing)
                                              : named(resource, group, existing);
    std::set<std::size_t> used;
    for (std::size_t at = 0; at < group.size(); ++at) {
      if (matches[at]) {
        used.insert(*matches[at]);
        plan_change(*group[at], existing[*matches[at]]);
      } else {
        plan_creation(*group[at]);
      }
    }
    const bool is_pruned = resource.in_clusters() && !resource.particulars.upload;
    if (prune_ == Prune::Nothing || !is_pruned) return;
    for (std::size_t at = 0; at < existing.size(); ++at) {
      if (used.contains(at)) continue;
      deletions_.push_back({.deed = Deed::Delete,
                            .resource = &resource,
                            .title = title_of(resource, existing[at], ""),
                            .id = id_of(existing[at]),
                            .before = existing[at]});
    }
  }

  using Matches = std::vector<std::optional<std::size_t>>;

  Matches named(const Resource& resource, const std::vector<const Wanted*>& group,
                const std::vector<json::object>& existing) {
    std::map<std::string, std::size_t> there;
    for (std::size_t at = 0; at < existing.size(); ++at)
      there[text_at(existing[at], resource.key)] = at;
    std::map<std::string, std::string> seen;
    Matches matches;
    for (const Wanted* each : group) {
      const std::string name = text_at(each->body, resource.key);
      const auto [place, is_new] = seen.emplace(name, each->place);
      if (!is_new && !name.empty())
        breaches_.push_back(each->place + ": " + one_line(name) + " is at " + place->second +
                            " as well");
      const auto found = there.find(name);
      matches.push_back(found == there.end() ? std::nullopt : std::optional(found->second));
    }
    return matches;
  }

  Matches unnamed(const Resource& resource, const std::vector<const Wanted*>& group,
                  const std::vector<json::object>& existing) {
    std::vector<json::object> wholes;
    Violations ignored;  // told when the steps are made
    for (const Wanted* each : group) wholes.push_back(created(*resource.noun, each->body, ignored));
    return match_unnamed(resource, wholes, existing);
  }

  void plan_creation(const Wanted& wanted) {
    Violations violations;
    const Resource& resource = *wanted.resource;
    json::object after = created(*resource.noun, wanted.body, violations);
    tell(wanted, violations);
    take_content(wanted, after);
    steps_.push_back({.deed = Deed::Create,
                      .resource = &resource,
                      .title = title_of(resource, after, wanted.place),
                      .after = std::move(after),
                      .body = wanted.body,
                      .files = wanted.files});
  }

  // The files are to be sent: whether all are there, and what the difference shows of them.
  void take_content(const Wanted& wanted, json::object& after) {
    const std::string missing = missing_file(*wanted.resource, wanted.files);
    if (!missing.empty()) breaches_.push_back(one_line(wanted.place + ": " + missing));
    if (const auto print = fingerprint_of(wanted.files))
      after[wanted.resource->particulars.content] = *print;
  }

  void plan_change(const Wanted& wanted, const json::object& current) {
    Violations violations;
    const Resource& resource = *wanted.resource;
    json::object body = wanted.body;
    for (const Field& field : resource.noun->fields) {
      // A password cannot be compared with the one that is kept.
      if (field.writable() && field.rules.kept == Kept::Once) body.erase(field.name);
    }
    json::object after = changed(*resource.noun, current, body, violations);
    tell(wanted, violations);
    json::object fields = difference_of(*resource.noun, current, after);
    json::object files;
    if (brings_another(wanted.files, current)) {
      files = wanted.files;
      take_content(wanted, after);
    }
    const bool same = fields.empty() && files.empty();
    steps_.push_back({.deed = same ? Deed::Same : Deed::Change,
                      .resource = &resource,
                      .title = title_of(resource, after, wanted.place),
                      .id = id_of(current),
                      .before = current,
                      .after = std::move(after),
                      .body = std::move(fields),
                      .files = std::move(files)});
  }

  void tell(const Wanted& wanted, const Violations& violations) {
    for (const Violation& each : violations)
      breaches_.push_back(one_line(wanted.place + ": " + each.field + ": " + each.issue));
  }

  static std::string id_of(const json::object& object) {
    const auto* id = object.if_contains("id");
    return id ? text_of(*id) : "";
  }

  std::string title_of(const Resource& resource, const json::object& object,
                       const std::string& place) const {
    const auto key = resource.key == "id" ? resource.particulars.label : resource.key;
    std::string name = one_line(text_at(object, key), 60);
    if (name.empty() && number_at(object, "id") > 0) name = id_of(object);
    if (name.empty()) name = "of " + place;
    std::string title = resource.file_kind() + " ";
    const auto* cluster = object.if_contains("cluster_id");
    if (cluster && !cluster->is_null()) title += text_of(clusters_.name_of(*cluster)) + "/";
    return title + name;
  }

  Client& client_;
  std::vector<Wanted> wanted_;
  Prune prune_;
  Clusters clusters_;
  std::vector<Step> steps_;
  std::vector<Step> deletions_;
  std::vector<std::string> breaches_;
};

}  // namespace

Plan make_plan(Client& client, const std::vector<Document>& documents, Prune prune) {
  return Planner(client, all_wanted(documents), prune).plan();
}

std::vector<std::string> difference_of(const Step& step, const Clusters& clusters) {
  const auto name_of = [&](const json::value& id) { return clusters.name_of(id); };
  const auto text = [&](const json::object& object) {
    if (object.empty()) return std::string();
    json::object form = file_form(*step.resource, object, name_of);
    const auto* content = object.if_contains(step.resource->particulars.content);
    if (content) form[step.resource->particulars.content] = *content;
    return yaml_text(form);
  };
  const json::object none;
  const auto hunks =
      difference(text(step.before), text(step.deed == Deed::Delete ? none : step.after));
  std::vector<std::string> lines{"--- " + (step.deed == Deed::Create ? "/dev/null" : step.title),
                                 "+++ " + (step.deed == Deed::Delete ? "/dev/null" : step.title)};
  lines.insert(lines.end(), hunks.begin(), hunks.end());
  return lines;
}

}  // namespace mp::cli
