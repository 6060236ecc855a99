#include "settings/option.hpp"

#include "base/utf8.hpp"

#include <boost/json.hpp>

#include <cctype>

namespace mp {
namespace {

std::string text_of(const json::value& value) {
  if (const auto* list = value.if_array(); list && list->empty()) return {};
  const auto* text = value.if_string();
  return text ? std::string(*text) : json::serialize(value);
}

std::string hint_of(const Field& field) {
  const json::object schema = field.shape->schema(field.rules);
  if (const auto* names = schema.if_contains("enum")) {
    std::string hint;
    for (const auto& name : names->as_array())
      hint.append(hint.empty() ? "" : "|").append(name.as_string());
    return hint;
  }
  if (field.shape->json_type == JsonType::Array) return "LIST";
  return field.shape->json_type == JsonType::Integer ? "NUMBER" : "TEXT";
}

Option make_option(const Field& field, std::string name, const void* defaults) {
  std::string variable(variable_prefix);
  std::string flag = "--";
  for (const char letter : name) {
    variable +=
        letter == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
    flag += letter == '.' || letter == '_' ? '-' : letter;
  }
  return {.field = &field,
          .name = std::move(name),
          .variable = std::move(variable),
          .flag = std::move(flag),
          .fallback = text_of(field.shape->to_json(field.of(defaults))),
          .hint = hint_of(field)};
}

// "a, b": with commas between, and spaces around them.
json::array list_of(std::string_view text) {
  json::array list;
  if (text.empty()) return list;
  for (;;) {
    const auto comma = text.find(',');
    std::string_view item = text.substr(0, comma);
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    list.emplace_back(item);
    if (comma == std::string_view::npos) return list;
    text.remove_prefix(comma + 1);
  }
}

// Text from a flag, a variable or the file, as the JSON that the field's rules are checked on.
json::value value_of(const Field& field, const std::string& text) {
  if (field.shape->json_type == JsonType::Array) return list_of(text);
  return from_text(field.shape->json_type, text).value_or(json::value(text));
}

json::object body_of(const GivenValues& given) {
  json::object body;
  for (const Option& option : all_options()) {
    const auto found = given.find(option.name);
    if (found == given.end()) continue;
    const auto dot = option.name.find('.');
    if (dot == std::string::npos) {
      body[option.name] = value_of(*option.field, found->second.text);
    } else {
      json::value& section = body[option.name.substr(0, dot)];
      if (section.is_null()) section.emplace_object();
      section.as_object()[option.name.substr(dot + 1)] =
          value_of(*option.field, found->second.text);
    }
  }
  return body;
}

}  // namespace

std::vector<Option> all_options() {
  static const Settings defaults;
  std::vector<Option> options;
  for (const Field& field : describe<Settings>.fields) {
    const Description* section = field.shape->inner;
    if (!section) {
      options.push_back(make_option(field, std::string(field.name), &defaults));
      continue;
    }
    for (const Field& inner : section->fields) {
      options.push_back(make_option(inner, std::string(field.name) + "." + std::string(inner.name),
                                    field.of(&defaults)));
    }
  }
  return options;
}

Error wrong_setting(const std::string& name, const std::string& issue, const std::string& source) {
  std::string line = name + ": " + issue;
  if (!source.empty()) line += " (from " + source + ")";
  return {Code::Validation, one_line(line)};
}

Settings settings_of(const GivenValues& given) {
  Settings settings;
  Violations violations;
  read_new(describe<Settings>, &settings, body_of(given), "", violations);
  if (violations.empty()) return settings;
  const Violation& first = violations.front();
  std::string issue = first.issue;
  if (!issue.empty())
    issue.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(issue.front())));
  if (first.provided) issue += ", not " + json::serialize(*first.provided);
  const std::string name = first.field.substr(0, first.field.find('['));  // of a list's item
  const auto found = given.find(name);
  throw wrong_setting(name, issue, found == given.end() ? "" : found->second.source);
}

}  // namespace mp
