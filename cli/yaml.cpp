#include "cli/yaml.hpp"

#include "base/utf8.hpp"
#include "cli/failure.hpp"
#include "cli/look.hpp"
#include "model/field.hpp"
#include "settings/yaml_documents.hpp"

#include <yaml-cpp/yaml.h>
#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace mp::cli {
namespace {

namespace json = boost::json;

constexpr int deepest = 64;
constexpr std::size_t most_documents = 100'000;
constexpr std::size_t most_nodes = 1'000'000;

bool is_word_of_yaml(std::string_view text) {
  static constexpr std::array<std::string_view, 22> words{
      "~",   "null", "Null", "NULL", "true", "True", "TRUE", "false", "False", "FALSE", "yes",
      "Yes", "YES",  "no",   "No",   "NO",   "on",   "On",   "off",   "Off",   "y",     "n"};
  return std::ranges::find(words, text) != words.end();
}

// What a plain scalar means in YAML 1.2's core schema, without octal and hexadecimal numbers.
json::value plain_value(const std::string& text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL")
    return nullptr;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  if (const auto number = from_text(JsonType::Integer, text)) return *number;
  const bool real = text.find_first_not_of("0123456789+-.eE") == std::string::npos;
  if (const auto number = real ? from_text(JsonType::Number, text) : std::nullopt) return *number;
  return json::value(text);
}

class Reader {
 public:
  explicit Reader(const std::string& name) : name_(name) {}

  json::value read(const YAML::Node& node, int depth) {
    if (depth > deepest) throw broken(node, "is nested too deeply");
    if (++nodes_ > most_nodes) throw broken(node, "is too large");
    switch (node.Type()) {
      case YAML::NodeType::Scalar:
        return node.Tag() == "!" ? json::value(node.Scalar()) : plain_value(node.Scalar());
      case YAML::NodeType::Sequence: {
        json::array list;
        for (const auto& item : node) list.push_back(read(item, depth + 1));
        return list;
      }
      case YAML::NodeType::Map: return read_map(node, depth);
      default: return nullptr;
    }
  }

  std::string place(const YAML::Node& node) const {
    const int line = node.Mark().line;
    return line < 0 ? name_ : name_ + ", line " + std::to_string(line + 1);
  }

 private:
  json::value read_map(const YAML::Node& node, int depth) {
    json::object object;
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) throw broken(entry.first, "a key must be a word");
      const std::string& key = entry.first.Scalar();
      if (object.contains(key)) throw broken(entry.first, key + " stands twice");
      object[key] = read(entry.second, depth + 1);
    }
    return object;
  }

  Failure broken(const YAML::Node& node, const std::string& what) const {
    return wrong_usage(one_line(place(node) + ": " + what));
  }

  const std::string& name_;
  std::size_t nodes_ = 0;
};

bool is_json(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  return first != std::string::npos && (text[first] == '{' || text[first] == '[');
}

// Whether YAML reads the text, unquoted, as this text.
bool is_plain(std::string_view text) {
  const auto letter = [](char each) {
    return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z');
  };
  if (text.empty() || is_word_of_yaml(text)) return false;
  const bool sound = std::ranges::all_of(text, [&](char each) {
    return letter(each) || (each >= '0' && each <= '9') ||
           std::string_view("_./@-").find(each) != std::string_view::npos;
  });
  if (!sound) return false;
  if (letter(text.front()) || text.front() == '/' || text.front() == '_') return true;
  return text.front() >= '0' && text.front() <= '9' && plain_value(std::string(text)).is_string();
}

void emit_text(YAML::Emitter& emitter, std::string_view text) {
  if (!is_plain(text)) emitter << YAML::DoubleQuoted;
  emitter << std::string(text);
}

bool is_short_list(const json::array& list) {
  return std::ranges::none_of(list, [](const json::value& item) { return item.is_structured(); });
}

void emit(YAML::Emitter& emitter, const json::value& value) {
  if (const auto* object = value.if_object()) {
    if (object->empty()) emitter << YAML::Flow;
    emitter << YAML::BeginMap;
    for (const auto& member : *object) {
      emitter << YAML::Key;
      emit_text(emitter, member.key());
      emitter << YAML::Value;
      emit(emitter, member.value());
    }
    emitter << YAML::EndMap;
  } else if (const auto* list = value.if_array()) {
    if (is_short_list(*list)) emitter << YAML::Flow;
    emitter << YAML::BeginSeq;
    for (const auto& item : *list) emit(emitter, item);
    emitter << YAML::EndSeq;
  } else if (const auto* text = value.if_string()) {
    emit_text(emitter, *text);
  } else if (value.is_null()) {
    emitter << YAML::Null;
  } else {
    emitter << number_text(value);  // a number, true or false
  }
}

}  // namespace

std::vector<Document> read_documents(const std::string& text, const std::string& name) {
  if (is_json(text)) {
    json::error_code failure;
    json::value value = json::parse(text, failure);
    if (!failure) return {{std::move(value), name}};
    if (name.ends_with(".json")) throw wrong_usage(name + ": is not JSON: " + failure.message());
  }
  std::vector<Document> documents;
  try {
    if (has_more_documents(text, most_documents)) {
      throw wrong_usage(name + ": holds more than " + std::to_string(most_documents) +
                        " documents, or is not YAML");
    }
    Reader reader(name);
    for (const YAML::Node& root : YAML::LoadAll(text)) {
      if (!root.IsNull()) documents.push_back({reader.read(root, 0), reader.place(root)});
    }
  } catch (const YAML::Exception& error) {
    throw wrong_usage(one_line(name + ", line " + std::to_string(error.mark.line + 1) +
                               ": is not YAML: " + error.msg));
  }
  return documents;
}

std::string yaml_text(const json::value& value) {
  YAML::Emitter emitter;
  emitter.SetNullFormat(YAML::LowerNull);
  emit(emitter, value);
  return std::string(emitter.c_str()) + "\n";
}

}  // namespace mp::cli
