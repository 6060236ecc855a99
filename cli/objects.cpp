#include "cli/objects.hpp"

#include "model/shape.hpp"

#include <boost/json.hpp>

namespace mp::cli {
namespace {

namespace json = boost::json;

// Reads what the server answered: it has checked it already.
void load(const Description& noun, void* object, const json::object& answer) {
  Violations ignored;
  for (const Field& field : noun.fields) {
    const auto* value = field.in_answers() ? answer.if_contains(field.name) : nullptr;
    if (value) field.shape->from_json(field.member(object), *value, shape::own_rules, "", ignored);
  }
}

bool client_sets(const Field& field) { return field.writable() && field.in_answers(); }

json::value without_defaults(const Description& noun, const json::value& value) {
  if (const auto* list = value.if_array()) {
    json::array items;
    for (const auto& item : *list) items.push_back(without_defaults(noun, item));
    return items;
  }
  const auto* object = value.if_object();
  if (!object) return value;
  const auto fresh = noun.make();
  json::object rest;
  for (const Field& field : noun.fields) {
    const auto* member = client_sets(field) ? object->if_contains(field.name) : nullptr;
    if (member && *member != field.shape->to_json(field.of(fresh.get())))
      rest[field.name] = *member;
  }
  return rest;
}

}  // namespace

json::object created(const Description& noun, const json::object& body, Violations& violations) {
  const auto object = noun.make();
  read_new(noun, object.get(), body, "", violations);
  return to_json(noun, object.get());
}

json::object changed(const Description& noun, const json::object& current, const json::object& body,
                     Violations& violations) {
  const auto object = noun.make();
  load(noun, object.get(), current);
  read_change(noun, object.get(), body, violations);
  return to_json(noun, object.get());
}

json::object difference_of(const Description& noun, const json::object& before,
                           const json::object& after) {
  json::object fields;
  for (const Field& field : noun.fields) {
    if (!client_sets(field) || field.rules.mode != Mode::Normal) continue;
    const auto* old = before.if_contains(field.name);
    const auto* now = after.if_contains(field.name);
    if (now && (!old || *old != *now)) fields[field.name] = *now;
  }
  return fields;
}

json::object without_server_fields(const Description& noun, json::object body) {
  for (const Field& field : noun.fields) {
    if (field.visible() && !field.writable()) body.stable_erase(field.name);
    auto* nested = body.if_contains(field.name);
    if (nested && nested->is_object() && field.shape->inner)
      *nested = without_server_fields(*field.shape->inner, nested->get_object());
  }
  return body;
}

json::object file_form(const Resource& resource, const json::object& object,
                       const ClusterName& cluster_name) {
  json::object form{{"kind", resource.file_kind()}};
  if (const auto* id = object.if_contains("cluster_id"); id && !id->is_null())
    form["cluster"] = cluster_name(*id);
  for (const Field& field : resource.noun->fields) {
    const auto* value = client_sets(field) ? object.if_contains(field.name) : nullptr;
    if (!value || field.name == "cluster_id") continue;
    const Description* inner = field.shape->inner;
    json::value shown = inner ? without_defaults(*inner, *value) : *value;
    if (auto* list = field.rules.references.empty() ? nullptr : shown.if_array()) {
      for (json::value& item : *list) item = cluster_name(item);
    }
    form[field.name] = std::move(shown);
  }
  return form;
}

}  // namespace mp::cli
