#include "cli/names.hpp"

#include "base/curl.hpp"
#include "base/utf8.hpp"
#include "cli/look.hpp"
#include "model/cluster.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace mp::cli {
namespace {

namespace json = boost::json;

constexpr std::int64_t page_size = 100;  // the most that the API gives

bool is_number(std::string_view text) {
  return !text.empty() && text.size() < 19 &&
         std::ranges::all_of(text, [](char letter) { return letter >= '0' && letter <= '9'; });
}

std::string text_of(const json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : json::serialize(value);
}

// The default cluster, when the server says that it is the only one without a licence for more.
Listed only_default_cluster(Client& client, const Refused& refusal) {
  const auto* id = Place(refusal.error).find("details.default_cluster.id");
  if (refusal.status != 402 || !id) throw refusal;
  const Answer answer = client.get("/clusters/" + text_of(*id));
  return {{object_at(answer.data, "")}, 1};
}

bool has_text_id(const Resource& resource) {
  return find_field(*resource.noun, "id")->shape->json_type == JsonType::String;
}

Failure nothing_called(const Resource& resource, const std::string& name) {
  return {Exit::Refused, "no " + resource.file_kind() + " is called " + one_line(name)};
}

Failure several_called(const Resource& resource, const std::string& name,
                       const std::vector<std::string>& ids) {
  std::string line = "several " + resource.plural() + " are called " + one_line(name) + ": ";
  for (const auto& id : ids) line.append(&id == &ids.front() ? "" : ", ").append(id);
  return {Exit::Refused,
          line + (resource.in_clusters() ? "; name the cluster or the id" : "; name the id")};
}

std::string find_named(Client& client, const Resource& resource, const std::string& name,
                       const std::string& cluster) {
  QueryText query;
  if (resource.noun != &describe<Cluster>) query.emplace_back("search", name);
  if (!cluster.empty() && resource.in_clusters())
    query.emplace_back("cluster_id", find_id(client, resource_of(describe<Cluster>), cluster));
  std::vector<std::string> ids;
  for (const auto& object : list_objects(client, resource, query).objects) {
    if (text_at(object, resource.key) == name) ids.push_back(text_of(object.at("id")));
  }
  if (ids.empty()) throw nothing_called(resource, name);
  if (ids.size() > 1) throw several_called(resource, name, ids);
  return ids.front();
}

bool has_id(Client& client, const Resource& resource, const std::string& id) {
  if (!resource.verbs.has(Verb::Get)) {
    const auto all = list_objects(client, resource, {}).objects;
    return std::ranges::any_of(all,
                               [&](const json::object& each) { return text_at(each, "id") == id; });
  }
  try {
    client.get(path_of(resource, id));
    return true;
  } catch (const Refused& refusal) {
    if (refusal.status != 404) throw;
    return false;
  }
}

json::value id_value(Client& client, const Resource& resource, const json::value& given) {
  if (!given.is_string()) return given;
  const std::string id = find_id(client, resource, std::string(given.get_string()));
  if (has_text_id(resource)) return json::value(id);
  return *from_text(JsonType::Integer, id);
}

}  // namespace

Listed list_objects(Client& client, const Resource& resource, QueryText query, std::int64_t most) {
  Listed listed;
  const std::int64_t limit = most > 0 ? std::min(most, page_size) : page_size;
  query.emplace_back("limit", std::to_string(limit));
  query.emplace_back("page", "");
  for (std::int64_t page = 1;; ++page) {
    query.back().second = std::to_string(page);
    Answer answer;
    try {
      answer = client.get(std::string(resource.path), query);
    } catch (const Refused& refusal) {
      if (resource.noun != &describe<Cluster>) throw;
      return only_default_cluster(client, refusal);
    }
    const auto& items = list_at(answer.data, resource.noun->plural);
    for (const auto& item : items) {
      if (item.is_object()) listed.objects.push_back(item.get_object());
      if (most > 0 && static_cast<std::int64_t>(listed.objects.size()) == most) break;
    }
    listed.total = number_at(answer.data, "total");
    const auto have = static_cast<std::int64_t>(listed.objects.size());
    if (items.empty() || have >= listed.total || (most > 0 && have >= most)) return listed;
  }
}

std::string find_id(Client& client, const Resource& resource, const std::string& reference,
                    const std::string& cluster) {
  if (reference.starts_with("id=")) return reference.substr(3);
  if (reference.starts_with("name="))
    return find_named(client, resource, reference.substr(5), cluster);
  if (is_number(reference) && !has_text_id(resource)) return reference;
  if (resource.key == "id") {
    throw wrong_usage("a " + resource.file_kind() + " has no name: " + one_line(reference) +
                      " must be its id, a number");
  }
  if (has_text_id(resource) && has_id(client, resource, reference)) return reference;
  return find_named(client, resource, reference, cluster);
}

std::string path_of(const Resource& resource, const std::string& id) {
  return std::string(resource.path) + "/" + curl::url_encoded(id);
}

std::string label_of(const Resource& resource, const json::object& object) {
  const auto* key = object.if_contains(resource.key);
  const auto* id = object.if_contains("id");
  if (key && key->is_string() && !key->get_string().empty()) return text_of(*key);
  return id ? text_of(*id) : std::string();
}

std::string reference_of(const Resource& resource, const json::object& object) {
  const std::string label = label_of(resource, object);
  const auto* key = object.if_contains(resource.key);
  const bool is_name = resource.key != "id" && key && key->is_string() && text_of(*key) == label;
  const bool misread = (is_number(label) && !has_text_id(resource)) || label.starts_with('-') ||
                       label.starts_with("id=") || label.starts_with("name=");
  return is_name && misread ? "name=" + label : label;
}

void visit_references(const Description& description, json::object& body,
                      const std::function<void(const Resource&, json::value&)>& visit) {
  for (const Field& field : description.fields) {
    const Resource* other = find_resource(kebab(field.rules.references));
    if (!other || !field.writable()) continue;
    const bool is_id = field.name.ends_with("_id");
    const auto shorter = is_id ? field.name.substr(0, field.name.size() - 3) : field.name;
    if (const auto* named = is_id ? body.if_contains(shorter) : nullptr) {
      json::value value = *named;
      body.erase(shorter);
      body[field.name] = std::move(value);
    }
    auto* member = body.if_contains(field.name);
    auto* list = member ? member->if_array() : nullptr;
    if (member && !list) visit(*other, *member);
    for (std::size_t at = 0; list && at < list->size(); ++at) visit(*other, (*list)[at]);
  }
}

void resolve_references(Client& client, const Description& description, json::object& body) {
  visit_references(description, body, [&](const Resource& other, json::value& value) {
    value = id_value(client, other, value);
  });
}

void default_cluster(Client& client, const Resource& resource, json::object& body) {
  const Field* field = find_field(*resource.noun, "cluster_id");
  if (!field || !required(*resource.noun, *field) || body.contains("cluster_id")) return;
  try {
    const auto clusters = list_objects(client, resource_of(describe<Cluster>), {}, 2).objects;
    if (clusters.size() == 1) body["cluster_id"] = clusters.front().at("id");
  } catch (const Refused&) {
    return;  // the server says what is missing
  }
}

}  // namespace mp::cli
