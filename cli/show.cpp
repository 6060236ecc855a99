#include "cli/show.hpp"

#include "cli/look.hpp"
#include "cli/names.hpp"
#include "cli/table.hpp"
#include "cli/yaml.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace mp::cli {
namespace {

namespace json = boost::json;

bool fits_in_a_cell(const Field& field) {
  if (!field.in_answers() || field.rules.kept == Kept::Once) return false;
  const Description* inner = field.shape->inner;
  return !inner || (field.shape->json_type == JsonType::Object && find_field(*inner, "state"));
}

Cell cell_of(const json::value& value) {
  Cell cell{.text = cell_text(value)};
  if (value.is_object() || value.is_string()) cell.tone = tone_of(cell.text);
  return cell;
}

// Only words of these fields are about health; a service may well be called "live".
Cell cell_at(const json::object& object, std::string_view column) {
  const auto* value = object.if_contains(column);
  Cell cell = cell_of(value ? *value : json::value(nullptr));
  if (column != "status" && column != "config" && column != "state") cell.tone = Tone::Plain;
  return cell;
}

void add_lines(Table& table, const std::string& name, const json::value& value) {
  const auto* object = value.if_object();
  const auto* list = value.if_array();
  if (object && !object->empty()) {
    for (const auto& member : *object) {
      const std::string prefix = name.empty() ? "" : name + ".";
      add_lines(table, prefix + std::string(member.key()), member.value());
    }
  } else if (list && std::ranges::any_of(
                         *list, [](const json::value& item) { return item.is_structured(); })) {
    for (std::size_t at = 0; at < list->size(); ++at)
      add_lines(table, name + "[" + std::to_string(at) + "]", (*list)[at]);
  } else {
    const bool state = name == "status" || name.ends_with("state");
    const std::string text = cell_text(value);
    table.add({{name, Tone::Bold}, {text, state ? tone_of(text) : Tone::Plain}});
  }
}

void append_json(std::string& text, const json::value& value, std::size_t depth) {
  const std::string inside = "\n" + std::string(2 * depth + 2, ' ');
  const std::string outside = "\n" + std::string(2 * depth, ' ');
  const char* separator = "";
  if (const auto* object = value.if_object(); object && !object->empty()) {
    text += "{";
    for (const auto& member : *object) {
      text += separator + inside + json::serialize(json::string(member.key())) + ": ";
      append_json(text, member.value(), depth + 1);
      separator = ",";
    }
    text += outside + "}";
  } else if (const auto* list = value.if_array(); list && !list->empty()) {
    text += "[";
    for (const auto& item : *list) {
      text += separator + inside;
      append_json(text, item, depth + 1);
      separator = ",";
    }
    text += outside + "]";
  } else {
    text += number_text(value);
  }
}

}  // namespace

std::vector<std::string_view> columns_of(const Resource& resource, Form form) {
  std::vector<std::string_view> columns;
  if (form == Form::Wide) {
    for (const Field& field : resource.noun->fields) {
      if (fits_in_a_cell(field)) columns.push_back(field.name);
    }
    return columns;
  }
  return words_of(resource.columns);
}

void show_list(Console& console, Form form, const Resource& resource,
               const std::vector<json::object>& objects) {
  json::array all;
  for (const auto& object : objects) all.push_back(object);
  if (form == Form::Json) return console.print(pretty_json(all) + "\n");
  if (form == Form::Yaml) return console.print(yaml_text(all));
  if (form == Form::Name) {
    std::string names;
    for (const auto& object : objects) names += reference_of(resource, object) + "\n";
    return console.print(names);
  }
  if (objects.empty()) return console.note("no " + resource.plural());
  const auto columns = columns_of(resource, form);
  std::vector<std::string> headers;
  for (const auto column : columns) headers.push_back(upper(column));
  Table table(std::move(headers));
  for (const auto& object : objects) {
    std::vector<Cell> row;
    for (const auto column : columns) row.push_back(cell_at(object, column));
    table.add(std::move(row));
  }
  console.print(table.text(console));
}

void show_object(Console& console, Form form, const Description& description,
                 const json::object& object) {
  if (form == Form::Json) return console.print(pretty_json(object) + "\n");
  if (form == Form::Yaml) return console.print(yaml_text(object));
  if (form == Form::Name) {
    const Resource* resource = find_resource(kebab(description.name));
    const auto* id = object.if_contains("id");
    if (resource) return console.print(reference_of(*resource, object) + "\n");
    const auto secrets = secrets_of(description, object, Occasion::Reading);
    if (!secrets.empty()) return console.print(text_at(object, secrets.front()) + "\n");
    return console.print((id ? cell_text(*id) : pretty_json(object)) + "\n");
  }
  Table table({});
  add_lines(table, "", object);
  console.print(table.text(console));
}

std::string pretty_json(const json::value& value) {
  std::string text;
  append_json(text, value, 0);
  return text;
}

std::vector<std::string> secrets_of(const Description& description, const json::object& object,
                                    Occasion occasion) {
  std::vector<std::string> paths;
  for (const Field& field : description.fields) {
    const auto* value = object.if_contains(field.name);
    if (!value || !field.in_answers()) continue;
    if (const auto* nested = value->if_object(); nested && field.shape->inner) {
      for (const auto& path : secrets_of(*field.shape->inner, *nested, occasion))
        paths.push_back(std::string(field.name) + "." + path);
      continue;
    }
    const bool once = field.shape->column == Column::Sealed ||
                      (field.rules.sensitive && occasion == Occasion::Making);
    const bool some = (value->is_string() && !value->get_string().empty()) ||
                      (value->is_array() && !value->get_array().empty());
    if (once && some) paths.emplace_back(field.name);
  }
  return paths;
}

}  // namespace mp::cli
