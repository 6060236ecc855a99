#include "model/shape.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <cmath>

namespace mp::shape {
namespace {

constexpr std::size_t longest_echo = 256;  // bytes of JSON; more is left out of a violation
constexpr std::size_t most_violations = 100;

// What has_control refuses, for schemas.
constexpr std::string_view no_control = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$";
constexpr std::string_view no_control_but_layout =
    "^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f]*$";

// C0, DEL and, in UTF-8, C1.
bool has_control(std::string_view text, bool multi_line) {
  unsigned char before = 0;
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    const bool layout = byte == '\n' || byte == '\r' || byte == '\t';
    if ((byte < 0x20 && !(multi_line && layout)) || byte == 0x7f || (before == 0xc2 && byte < 0xa0))
      return true;
    before = byte;
  }
  return false;
}

std::string range_issue(bool too_low, const Rules& rules) {
  const bool low = rules.min != Rules{}.min;
  const bool high = rules.max != Rules{}.max;
  if (low && high)
    return "Must be between " + std::to_string(rules.min) + " and " + std::to_string(rules.max);
  return too_low ? "Must be at least " + std::to_string(rules.min)
                 : "Must be at most " + std::to_string(rules.max);
}

std::string count_issue(std::size_t count, const Rules& rules, std::string_view unit) {
  if (count == 0) return "Must not be empty";
  const bool few = static_cast<std::int64_t>(count) < rules.min;
  const std::string limit = std::to_string(few ? rules.min : rules.max);
  return (few ? "Must have at least " : "Must have at most ") + limit + " " + std::string(unit);
}

// Small values come back to the client. Objects never do: they may hold secrets under names of
// their own.
bool shown(const json::value& value) {
  const auto* list = value.if_array();
  if (value.is_object()) return false;
  if (list && std::ranges::any_of(*list, [](const auto& item) { return item.is_structured(); }))
    return false;
  if (value.is_string() && value.get_string().size() > longest_echo) return false;
  return json::serialize(value).size() <= longest_echo;
}

bool within(std::int64_t value, const Rules& rules) {
  return value >= rules.min && value <= rules.max;
}

void add_bounds(json::object& schema, const Rules& rules, std::string_view low,
                std::string_view high) {
  if (rules.min != Rules{}.min) schema[low] = rules.min;
  if (rules.max != Rules{}.max) schema[high] = rules.max;
}

}  // namespace

std::size_t code_points(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }));
}

void add(Violations& violations, const Rules& rules, const std::string& path, std::string issue,
         const json::value& provided) {
  if (violations.size() >= most_violations) return;
  Violation violation{path, std::move(issue), std::nullopt};
  if (!rules.sensitive && shown(provided)) violation.provided = provided;
  violations.push_back(std::move(violation));
}

json::object number_schema(std::string_view type, std::string_view format, const Rules& rules) {
  json::object schema{{"type", type}, {"format", format}};
  add_bounds(schema, rules, "minimum", "maximum");
  return schema;
}

json::object text_schema(const Rules& rules) {
  json::object schema{{"type", "string"}};
  add_bounds(schema, rules, "minLength", "maxLength");
  const Format* format = rules.format.empty() ? nullptr : &find_format(rules.format);
  const bool ours = rules.mode == Mode::Server || rules.mode == Mode::Hidden;
  if (format && !format->pattern.empty())
    schema["pattern"] = format->pattern;
  else if (!ours && !(format && format->standard == "binary"))
    schema["pattern"] = format && format->multi_line ? no_control_but_layout : no_control;
  if (format && !format->standard.empty()) schema["format"] = format->standard;
  return schema;
}

json::object enum_schema(std::span<const std::string_view> names) {
  json::array values;
  for (const auto name : names) values.emplace_back(name);
  return {{"type", "string"}, {"enum", std::move(values)}};
}

json::object nullable(json::object schema) {
  if (auto* values = schema.if_contains("enum")) values->as_array().emplace_back(nullptr);
  schema["nullable"] = true;
  return schema;
}

json::object list_schema(json::object item, const Rules& rules) {
  json::object schema{{"type", "array"}, {"items", std::move(item)}};
  add_bounds(schema, rules, "minItems", "maxItems");
  if (rules.unique) schema["uniqueItems"] = true;
  return schema;
}

bool read_integer(std::int64_t& target, const json::value& value, const Rules& rules,
                  const std::string& path, Violations& violations) {
  std::optional<std::int64_t> read;
  if (const auto* number = value.if_int64())
    read = *number;
  else if (const auto* real = value.if_double();
           real && std::nearbyint(*real) == *real && std::abs(*real) < 9e15) {
    read = static_cast<std::int64_t>(*real);
  }
  if (!read && !value.is_uint64()) {
    add(violations, rules, path, "Must be a whole number", value);
    return false;
  }
  if (!read || !within(*read, rules)) {
    const bool too_low = read && *read < rules.min;
    add(violations, rules, path, range_issue(too_low, rules), value);
    return false;
  }
  target = *read;
  return true;
}

bool read_number(double& target, const json::value& value, const Rules& rules,
                 const std::string& path, Violations& violations) {
  if (!value.is_number()) {
    add(violations, rules, path, "Must be a number", value);
    return false;
  }
  const double read = value.to_number<double>();
  if (read < static_cast<double>(rules.min) || read > static_cast<double>(rules.max)) {
    add(violations, rules, path, range_issue(read < static_cast<double>(rules.min), rules), value);
    return false;
  }
  target = read;
  return true;
}

bool read_boolean(bool& target, const json::value& value, const std::string& path,
                  Violations& violations) {
  if (const auto* read = value.if_bool()) {
    target = *read;
    return true;
  }
  add(violations, {}, path, "Must be true or false", value);
  return false;
}

bool read_text(std::string& target, const json::value& value, const Rules& rules,
               const std::string& path, Violations& violations) {
  const auto* read = value.if_string();
  if (!read) {
    add(violations, rules, path, "Must be a string", value);
    return false;
  }
  if (rules.trusted) {
    target = *read;
    return true;
  }
  const Format* format = rules.format.empty() ? nullptr : &find_format(rules.format);
  const bool binary = format && format->standard == "binary";
  if (!binary && has_control(*read, format && format->multi_line)) {
    add(violations, rules, path, "Must not contain control characters", value);
    return false;
  }
  std::string formed(*read);
  const bool holds = !format || format->check(formed);
  const std::size_t length =
      code_points(holds ? std::string_view(formed) : std::string_view(*read));
  if (!within(static_cast<std::int64_t>(length), rules)) {
    add(violations, rules, path, count_issue(length, rules, "characters"), value);
    return false;
  }
  if (!holds) {
    add(violations, rules, path, std::string(format->issue), value);
    return false;
  }
  target = std::move(formed);
  return true;
}

int read_enum(const json::value& value, std::span<const std::string_view> names,
              const std::string& path, Violations& violations) {
  if (const auto* text = value.if_string()) {
    const auto found = std::ranges::find(names, std::string_view(*text));
    if (found != names.end()) return static_cast<int>(found - names.begin());
  }
  std::string issue = "Must be one of ";
  for (std::size_t at = 0; at < names.size(); ++at)
    issue.append(at == 0 ? "" : ", ").append(names[at]);
  add(violations, {}, path, std::move(issue), value);
  return -1;
}

const json::array* read_list(const json::value& value, const Rules& rules, const std::string& path,
                             Violations& violations) {
  const auto* list = value.if_array();
  if (!list) {
    add(violations, rules, path, "Must be a list", value);
    return nullptr;
  }
  if (!within(static_cast<std::int64_t>(list->size()), rules)) {
    add(violations, rules, path, count_issue(list->size(), rules, "items"), value);
    return nullptr;
  }
  return list;
}

void refuse_repeats(const json::value& list, const std::string& path, Violations& violations) {
  const json::array& items = list.as_array();
  for (auto at = items.begin(); at != items.end(); ++at) {
    if (std::find(items.begin(), at, *at) == at) continue;
    add(violations, {.sensitive = true}, path + "[" + std::to_string(at - items.begin()) + "]",
        "Is listed twice", *at);
  }
}

json::value parse_cell(const Cell& cell) {
  const auto* text = std::get_if<std::string>(&cell);
  if (!text) return nullptr;
  json::error_code error;
  json::value value = json::parse(*text, error);
  return error ? json::value(nullptr) : value;
}

std::string cell_text(const json::value& value) { return json::serialize(value); }

}  // namespace mp::shape
