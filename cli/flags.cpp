#include "cli/flags.hpp"

#include "base/utf8.hpp"
#include "cli/failure.hpp"
#include "cli/files.hpp"
#include "cli/resource.hpp"
#include "model/shape.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <boost/json.hpp>

#include <algorithm>

namespace mp::cli {
namespace {

namespace json = boost::json;

bool is_secret(const Field& field) { return field.shape->column == Column::Sealed; }

// A file's content, or a text that is too long for an argument.
bool is_file(const Field& field) {
  constexpr std::int64_t longest_argument = 4096;
  const Rules& rules = field.rules;
  if (field.shape->json_type != JsonType::String) return false;
  const bool long_text = rules.max > longest_argument && rules.max != Rules{}.max;
  return long_text || (!rules.format.empty() && find_format(rules.format).standard == "binary");
}

bool is_nested(const Field& field) {
  return field.shape->inner && field.shape->json_type == JsonType::Object;
}

json::object schema_of(const Field& field) {
  json::object schema = field.shape->schema(field.rules);
  if (field.shape->json_type != JsonType::Array) return schema;
  return schema.at("items").as_object();
}

std::string type_of(const json::object& schema) {
  const auto* type = schema.if_contains("type");
  return type ? std::string(type->as_string()) : std::string();
}

std::string choices_of(const json::object& schema) {
  std::string choices;
  const auto* names = schema.if_contains("enum");
  if (!names) return choices;
  for (const auto& name : names->as_array()) {
    if (name.is_string()) choices.append(choices.empty() ? "" : "|").append(name.get_string());
  }
  return choices;
}

// The declared sentence, and what holds without the flag.
std::string help_of(const Field& field, const void* fresh) {
  std::string help(field.help);
  if (field.shape->json_type == JsonType::Array && !field.shape->inner)
    help += " Several: with commas, or the flag again.";
  const json::value fallback = field.shape->to_json(field.of(fresh));
  const bool telling = (fallback.is_string() && !fallback.get_string().empty()) ||
                       fallback.is_bool() || (fallback.is_int64() && fallback.get_int64() != 0);
  if (telling && !field.rules.required) {
    help +=
        " (" +
        (fallback.is_string() ? std::string(fallback.get_string()) : json::serialize(fallback)) +
        ")";
  }
  return help;
}

std::vector<std::string> parts_of(const std::vector<std::string>& values) {
  std::vector<std::string> parts;
  for (const std::string& value : values) {
    for (std::size_t at = 0; at <= value.size();) {
      const auto comma = std::min(value.find(',', at), value.size());
      if (comma > at) parts.push_back(value.substr(at, comma - at));
      at = comma + 1;
    }
  }
  return parts;
}

void set_at(json::object& body, const std::vector<std::string_view>& path, json::value value) {
  json::object* at = &body;
  for (std::size_t index = 0; index + 1 < path.size(); ++index) {
    json::value& next = (*at)[path[index]];
    if (!next.is_object()) next = json::object();
    at = &next.get_object();
  }
  (*at)[path.back()] = std::move(value);
}

std::string joined(const std::vector<std::string_view>& path, const Field& field) {
  std::string name = "--";
  for (std::size_t index = 0; index + 1 < path.size(); ++index) name += kebab(path[index]) + ".";
  return name + flag_of(field).substr(2);
}

}  // namespace

std::string flag_of(const Field& field) {
  std::string_view name = field.name;
  if (!field.rules.references.empty() && name.ends_with("_id")) name.remove_suffix(3);
  return "--" + kebab(name);
}

std::string hint_of(const Field& field) {
  if (!field.rules.references.empty()) return upper(kebab(field.rules.references));
  if (field.shape->json_type == JsonType::Boolean) return "";
  if (is_file(field)) return "FILE";
  const json::object schema = schema_of(field);
  if (const std::string choices = choices_of(schema); !choices.empty()) return choices;
  const std::string type = type_of(schema);
  if (type == "object") return "JSON";
  return type == "integer" || type == "number" ? "NUMBER" : "TEXT";
}

json::value value_of_text(const std::string& flag, const json::object& schema,
                          const std::string& text) {
  const std::string type = type_of(schema);
  if (type == "string") return json::value(text);
  if (type == "object") {
    json::error_code failure;
    json::value value = json::parse(text, failure);
    if (failure || !value.is_object())
      throw wrong_usage(flag + ": must be a JSON object such as " + R"({"address": "10.0.0.1"})");
    return value;
  }
  if (type.empty()) {  // a number, or text where it is none
    const auto number = from_text(JsonType::Integer, text);
    return number ? *number : json::value(text);
  }
  const auto number = from_text(type == "integer" ? JsonType::Integer : JsonType::Number, text);
  if (!number) throw wrong_usage(flag + ": must be a number, not " + one_line(text));
  return *number;
}

FieldFlags::FieldFlags(CLI::App& command, const Description& description, Purpose purpose) {
  std::vector<std::string_view> path;
  add_all(command, description, purpose, path);
}

void FieldFlags::add_all(CLI::App& command, const Description& description, Purpose purpose,
                         std::vector<std::string_view>& path) {
  const auto fresh = description.make();
  for (const Field& field : description.fields) {
    const bool wanted =
        purpose == Purpose::Create ? field.writable() : field.rules.mode == Mode::Normal;
    if (!wanted) continue;
    path.push_back(field.name);
    if (is_nested(field)) {
      add_all(command, *field.shape->inner, Purpose::Create, path);
    } else if (is_secret(field) && !is_file(field)) {
      add_secret(command, field, path);
      if (required(description, field)) needed_secrets_.push_back(&field);
    } else {
      add(command, field, path);
      flags_.back().option->description(help_of(field, fresh.get()));
    }
    path.pop_back();
  }
}

void FieldFlags::add(CLI::App& command, const Field& field,
                     const std::vector<std::string_view>& path) {
  Kind kind = Kind::Value;
  if (field.shape->json_type == JsonType::Boolean) kind = Kind::Switch;
  if (field.shape->json_type == JsonType::Array) kind = Kind::List;
  if (is_file(field)) kind = Kind::File;
  Flag& flag = flags_.emplace_back(Flag{joined(path, field), path, &field, kind});
  if (kind == Kind::Switch) {
    flag.option = command.add_flag(flag.name, flag.values, "");
    flag.option->type_name("");
    return;
  }
  flag.option = command.add_option(flag.name, flag.values, "")->type_name(hint_of(field));
  flag.option->expected(1)->allow_extra_args(false);
  if (kind == Kind::List)
    flag.option->take_all();
  else
    flag.option->take_last();
}

void FieldFlags::add_secret(CLI::App& command, const Field& field,
                            const std::vector<std::string_view>& path) {
  const std::string name = joined(path, field);
  Flag& file = flags_.emplace_back(Flag{name + "-file", path, &field, Kind::SecretFile});
  file.option =
      command.add_option(file.name, file.values, std::string(field.help) + " From a file.")
          ->type_name("FILE")
          ->expected(1);
  Flag& input = flags_.emplace_back(Flag{name + "-stdin", path, &field, Kind::SecretInput});
  input.option = command.add_flag(input.name);
  input.option->description(std::string(field.help) + " Asked for, or a line of standard input.");
  input.option->excludes(file.option);
}

bool FieldFlags::given(const Field& field) const {
  return std::ranges::any_of(
      flags_, [&](const Flag& flag) { return flag.field == &field && flag.option->count() > 0; });
}

bool FieldFlags::any() const {
  return std::ranges::any_of(flags_, [](const Flag& flag) { return flag.option->count() > 0; });
}

json::value FieldFlags::value_of(const Flag& flag, Console& console) {
  switch (flag.kind) {
    case Kind::SecretInput:
      return json::value(console.secret(std::string(flag.field->name)).reveal());
    case Kind::File: return json::value(text_of_file(flag.values.back()));
    case Kind::SecretFile: return json::value(secret_of_file(flag.values.back()).reveal());
    case Kind::Switch: {
      const std::string& text = flag.values.back();
      if (text == "true" || text == "false") return text == "true";
      throw wrong_usage(flag.name + ": must be true or false");
    }
    case Kind::Value: break;
    case Kind::List: break;
  }
  const json::object schema = schema_of(*flag.field);
  // A reference is a name or a number: which one is seen when it is looked up.
  const auto read = [&](const std::string& text) {
    return flag.field->rules.references.empty() ? value_of_text(flag.name, schema, text)
                                                : json::value(text);
  };
  if (flag.kind == Kind::Value) return read(flag.values.back());
  json::array list;
  for (const std::string& part : flag.field->shape->inner ? flag.values : parts_of(flag.values))
    list.push_back(read(part));
  return list;
}

json::object FieldFlags::body(Console& console) const {
  json::object body;
  for (const Flag& flag : flags_) {
    if (flag.option->count() > 0) set_at(body, flag.path, value_of(flag, console));
  }
  for (const Field* field : needed_secrets_) {
    if (given(*field)) continue;
    if (!console.is_interactive()) {
      const std::string flag = flag_of(*field);
      throw wrong_usage("nobody can be asked for the " + std::string(field->name) + ": give " +
                        flag + "-stdin or " + flag + "-file");
    }
    body[field->name] = console.secret(std::string(field->name)).reveal();
  }
  return body;
}

}  // namespace mp::cli
