#include "model/field.hpp"

#include "model/shape.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace mp {
namespace {

std::string join(const std::string& path, std::string_view name) {
  return path.empty() ? std::string(name) : path + "." + std::string(name);
}

void refuse(const std::string& path, std::string issue, Violations& violations) {
  shape::add(violations, {.sensitive = true}, path, std::move(issue), nullptr);
}

const json::object* read_object(const json::value& body, const std::string& path,
                                Violations& violations) {
  const auto* object = body.if_object();
  if (!object)
    shape::add(violations, {}, path.empty() ? "body" : path, "Must be a JSON object", body);
  return object;
}

// Their values are not shown: a misspelt name may hold a secret.
void refuse_unknown(const Description& description, const json::object& body,
                    const std::string& path, Violations& violations) {
  for (const auto& member : body) {
    const Field* field = find_field(description, member.key());
    if (!field || !field->visible())
      refuse(join(path, member.key()), "Is not a known field", violations);
  }
}

void read_field(const Field& field, void* object, const json::value& value, const std::string& path,
                Violations& violations) {
  if (value.is_null() && field.rules.required)
    return refuse(join(path, field.name), "Is required", violations);
  field.shape->from_json(field.member(object), value, field.rules, join(path, field.name),
                         violations);
}

void refuse_set(const Field& field, const std::string& path, const json::value& value,
                std::string issue, Violations& violations) {
  Rules rules = field.rules;
  rules.sensitive |= field.shape->column == Column::Sealed;
  shape::add(violations, rules, join(path, field.name), std::move(issue), value);
}

// Whether `value` says what is so already. 5.0 is 5.
bool same(const Field& field, const void* object, const json::value& value) {
  const json::value now = field.shape->to_json(field.of(object));
  if (now.is_int64() && value.is_double())
    return static_cast<double>(now.get_int64()) == value.get_double();
  return now == value;
}

bool is_answer(const Description& description, const json::value& value);

// Whether an answer can say `value` of the field.
bool is_answer(const Description& description, const Field& field, const json::value& value) {
  if (value.is_null()) return field.shape->nullable;
  const Description* inner = field.shape->inner;
  if (!inner) {
    const auto object = description.make();
    Rules rules = field.rules;
    rules.trusted = true;
    Violations violations;
    field.shape->from_json(field.member(object.get()), value, rules, "", violations);
    return violations.empty();
  }
  if (field.shape->json_type != JsonType::Array) return is_answer(*inner, value);
  const auto* list = value.if_array();
  return list && std::ranges::all_of(
                     *list, [&](const json::value& item) { return is_answer(*inner, item); });
}

// The same of a whole object: every member is there, and no other.
bool is_answer(const Description& description, const json::value& value) {
  const auto* members = value.if_object();
  if (!members) return false;
  std::size_t known = 0;
  for (const Field& field : description.fields) {
    const json::value* member = field.in_answers() ? members->if_contains(field.name) : nullptr;
    if (member && !is_answer(description, field, *member)) return false;
    if (!member && always_there(description, field, SchemaOf::Answer) && field.in_answers())
      return false;
    known += member ? 1 : 0;
  }
  return known == members->size();
}

// Whether `value` may come back in a change of what the client can not set: what is so now, and of
// what changes on its own also what was so when the client read it.
bool may_come_back(const Description& description, const Field& field, const json::value& value) {
  return field.rules.kept == Kept::Computed && is_answer(description, field, value);
}

// Whether a fresh object's member breaks the member's own rules.
bool lacks_default(const Field& field, void* fresh) {
  if (field.rules.required) return true;
  if (field.shape->nullable) return false;
  if (field.shape->json_type == JsonType::Object && field.shape->inner) {
    const Description& inner = *field.shape->inner;
    return std::ranges::any_of(inner.fields,
                               [&](const Field& each) { return required(inner, each); });
  }
  Violations violations;
  const json::value value = field.shape->to_json(field.of(fresh));
  field.shape->from_json(field.member(fresh), value, field.rules, "", violations);
  return !violations.empty();
}

json::object whole(const Description& inner, SchemaOf purpose, Null null) {
  json::object object = schema(inner, purpose);
  return null == Null::Allowed ? shape::nullable(std::move(object)) : object;
}

// A nested object's own schema. A change replaces it whole, so there it is that of a new one.
json::object nested_schema(const Field& field, SchemaOf purpose, const InnerSchema& inner) {
  const SchemaOf below = purpose == SchemaOf::Answer ? purpose : SchemaOf::Create;
  const bool nullable =
      field.shape->nullable && (purpose == SchemaOf::Answer || !field.rules.required);
  if (field.shape->json_type == JsonType::Array) {
    json::object list =
        shape::list_schema(inner(*field.shape->inner, below, Null::Refused), field.rules);
    return nullable ? shape::nullable(std::move(list)) : list;
  }
  json::object object = inner(*field.shape->inner, below, nullable ? Null::Allowed : Null::Refused);
  // What stands beside a reference does not count, so it goes into a list of one.
  if (object.contains("$ref")) return {{"allOf", json::array{std::move(object)}}};
  return object;
}

// What can be judged once every field is right by itself.
void check_whole(const Description& description, void* object, Violations& violations) {
  for (const Field& field : description.fields) {
    if (!field.rules.unique) continue;
    const json::value list = field.shape->to_json(field.of(object));
    shape::refuse_repeats(list, std::string(field.name), violations);
  }
  if (description.check) description.check(object, violations);
}

void refuse_null(json::object& property) {
  property.erase("nullable");
  auto* values = property.if_contains("enum");
  if (values && values->as_array().back().is_null()) values->as_array().pop_back();
}

json::object property(const Field& field, SchemaOf purpose, const InnerSchema& inner) {
  const bool computed = field.rules.kept == Kept::Computed;
  json::object property = field.shape->inner
                              ? nested_schema(field, computed ? SchemaOf::Answer : purpose, inner)
                              : field.shape->schema(field.rules);
  if (purpose != SchemaOf::Answer && field.rules.required) refuse_null(property);
  std::string help(field.help);
  if (purpose == SchemaOf::Update && field.rules.mode != Mode::Normal) {
    property["readOnly"] = true;
    help += computed ? " May come back as it was read." : " May come back unchanged.";
  }
  property["description"] = std::move(help);
  if (!field.rules.example.empty()) property["example"] = json::parse(field.rules.example);
  return property;
}

void add_default(json::object& property, const Field& field, const void* fresh) {
  const json::value value = field.shape->to_json(field.of(fresh));
  if (!value.is_null() && !value.is_object()) property["default"] = value;
}

}  // namespace

const Field* find_field(const Description& description, std::string_view name) {
  const auto found = std::ranges::find(description.fields, name, &Field::name);
  return found == description.fields.end() ? nullptr : &*found;
}

bool required(const Description& description, const Field& field) {
  return field.writable() && lacks_default(field, description.make().get());
}

json::object to_json(const Description& description, const void* object) {
  json::object body(description.fields.size());
  for (const Field& field : description.fields) {
    if (!field.in_answers()) continue;
    json::value value = field.shape->to_json(field.of(object));
    if (field.rules.kept == Kept::Once && value.is_null()) continue;
    body.emplace(field.name, std::move(value));
  }
  return body;
}

json::object stored_json(const Description& description, const void* object) {
  json::object body;
  for (const Field& field : description.fields) {
    if (field.stored()) body.emplace(field.name, field.shape->to_stored(field.of(object)));
  }
  return body;
}

void read_stored(const Description& description, void* object, const json::value& body) {
  const auto* members = body.if_object();
  if (!members) return;
  Violations ignored;
  for (const Field& field : description.fields) {
    const auto* value = members->if_contains(field.name);
    if (value && field.stored()) {
      field.shape->from_json(field.member(object), *value, shape::own_rules, "", ignored);
    }
  }
}

json::value without_unknown(const Description& description, const json::value& body) {
  if (const auto* list = body.if_array()) {
    json::array known;
    for (const auto& item : *list) known.push_back(without_unknown(description, item));
    return known;
  }
  const auto* members = body.if_object();
  if (!members) return body;
  json::object known;
  for (const auto& member : *members) {
    const Field* field = find_field(description, member.key());
    if (!field || !field->writable()) continue;
    const Description* inner = field->shape->inner;
    known[member.key()] = inner ? without_unknown(*inner, member.value()) : member.value();
  }
  return known;
}

void read_new(const Description& description, void* object, const json::value& body,
              const std::string& path, Violations& violations, Unknown unknown) {
  if (unknown == Unknown::Ignore && body.is_object()) {
    return read_new(description, object, without_unknown(description, body), path, violations,
                    Unknown::Refuse);
  }
  const json::object* members = read_object(body, path, violations);
  if (!members) return;
  refuse_unknown(description, *members, path, violations);
  const auto before = violations.size();
  std::vector<std::string_view> sent;
  for (const Field& field : description.fields) {
    const json::value* value = field.visible() ? members->if_contains(field.name) : nullptr;
    if (value) sent.push_back(field.name);
    if (value && field.rules.change_only) {
      refuse(join(path, field.name), "Is only for a change", violations);
    } else if (value && field.writable()) {
      read_field(field, object, *value, path, violations);
    } else if (value) {
      refuse_set(field, path, *value, "Is set by the server", violations);
    } else if (field.writable() && lacks_default(field, object)) {
      refuse(join(path, field.name), "Is required", violations);
    }
  }
  if (violations.size() != before) return;
  if (description.settle) description.settle(object, sent);
  check_whole(description, object, violations);
  for (std::size_t at = before; at < violations.size(); ++at)
    violations[at].field = join(path, violations[at].field);
}

void read_change(const Description& description, void* object, const json::value& body,
                 Violations& violations) {
  const json::object* members = read_object(body, "", violations);
  if (!members) return;
  refuse_unknown(description, *members, "", violations);
  std::vector<std::string_view> changed;
  for (const Field& field : description.fields) {
    const json::value* value = field.visible() ? members->if_contains(field.name) : nullptr;
    if (!value || same(field, object, *value)) continue;
    if (field.rules.mode == Mode::Normal) {
      read_field(field, object, *value, "", violations);
      changed.push_back(field.name);
    } else if (!may_come_back(description, field, *value)) {
      const auto* issue =
          field.rules.mode == Mode::Fixed ? "Cannot be changed" : "Is set by the server";
      refuse_set(field, "", *value, issue, violations);
    }
  }
  if (!violations.empty()) return;
  if (description.settle) description.settle(object, changed);
  check_whole(description, object, violations);
}

json::value merge_patch(const json::value& target, const json::value& patch) {
  if (!patch.is_object()) return patch;
  json::object merged = target.is_object() ? target.as_object() : json::object();
  for (const auto& member : patch.as_object()) {
    if (member.value().is_null()) {
      merged.erase(member.key());
    } else {
      const auto* old = merged.if_contains(member.key());
      merged[member.key()] = merge_patch(old ? *old : json::value(nullptr), member.value());
    }
  }
  return merged;
}

void read_patch(const Description& description, void* object, const json::value& body,
                Violations& violations) {
  const json::object* members = read_object(body, "", violations);
  if (!members) return;
  const auto fresh = description.make();
  json::object change;
  for (const auto& member : *members) {
    const Field* field = find_field(description, member.key());
    if (!field || !field->visible() ||
        (field->rules.mode != Mode::Normal && !member.value().is_object())) {
      change[member.key()] = member.value();  // read_change judges it
    } else if (field->rules.mode != Mode::Normal) {
      change[member.key()] = merge_patch(field->shape->to_json(field->of(object)), member.value());
    } else if (!member.value().is_null()) {
      const json::value now = field->shape->to_json(field->of(object));
      const Description* inner = field->shape->inner;
      change[member.key()] =
          merge_patch(inner ? without_unknown(*inner, now) : now, member.value());
    } else if (lacks_default(*field, fresh.get())) {
      refuse(std::string(field->name), "Is required", violations);
    } else {
      change[member.key()] = field->shape->to_json(field->of(fresh.get()));
    }
  }
  read_change(description, object, change, violations);
}

bool in_schema(const Field& field, SchemaOf purpose) {
  switch (purpose) {
    case SchemaOf::Answer: return field.in_answers();
    case SchemaOf::Create: return field.writable() && !field.rules.change_only;
    case SchemaOf::Update: break;
  }
  return field.visible();
}

bool always_there(const Description& description, const Field& field, SchemaOf purpose) {
  if (purpose == SchemaOf::Answer) return field.rules.kept != Kept::Once;
  return purpose == SchemaOf::Create && required(description, field);
}

json::object schema(const Description& description, SchemaOf purpose) {
  return schema(description, purpose, whole);
}

json::object schema(const Description& description, SchemaOf purpose, const InnerSchema& inner) {
  json::object properties;
  json::array names;
  const auto fresh = description.make();
  for (const Field& field : description.fields) {
    if (!in_schema(field, purpose)) continue;
    json::object described = property(field, purpose, inner);
    if (always_there(description, field, purpose))
      names.emplace_back(field.name);
    else if (purpose == SchemaOf::Create)
      add_default(described, field, fresh.get());
    properties[field.name] = std::move(described);
  }
  json::object object{
      {"type", "object"}, {"additionalProperties", false}, {"properties", std::move(properties)}};
  if (!names.empty()) object["required"] = std::move(names);
  return object;
}

std::optional<json::value> from_text(JsonType type, std::string_view text) {
  if (type == JsonType::String) return json::value(text);
  if (type == JsonType::Boolean) {
    if (text == "true" || text == "false") return json::value(text == "true");
    return std::nullopt;
  }
  if (type == JsonType::Integer) {
    std::int64_t value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return json::value(value);
  }
  if (type == JsonType::Number) {
    double value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
      return std::nullopt;
    return json::value(value);
  }
  return std::nullopt;  // lists and objects have no text
}

}  // namespace mp
