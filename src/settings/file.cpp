#include "settings/file.hpp"

#include "settings/yaml_documents.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

namespace mp {
namespace {

constexpr std::size_t longest_file = 64 * 1024;

Error broken(const std::string& path, const std::string& issue) {
  return wrong_setting("config", issue, path);
}

std::string text_of_file(const std::string& path) {
  std::error_code failure;
  if (std::filesystem::is_directory(path, failure)) throw broken(path, "is a directory");
  std::ifstream file(path, std::ios::binary);
  std::string text(longest_file + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad() || !file.eof()) {
    throw broken(path, file.is_open() ? "the file is longer than 64 KiB" : "cannot read the file");
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

class File {
 public:
  File(const std::string& path, GivenValues& given) : path_(path), given_(given) {}

  void read(const YAML::Node& root) {
    if (root.IsNull()) return;
    each(root, "", [&](const std::string& name, const YAML::Node& value) {
      const Field* field = find_field(describe<Settings>, name);
      if (!field) throw wrong_setting(name, "unknown setting", source(value));
      if (field->shape->inner) return section(name, *field->shape->inner, value);
      set(name, *field, value);
    });
  }

 private:
  void section(const std::string& name, const Description& description, const YAML::Node& node) {
    if (node.IsNull()) return;
    each(node, name, [&](const std::string& key, const YAML::Node& value) {
      const std::string whole = name + "." + key;
      const Field* field = find_field(description, key);
      if (!field) throw wrong_setting(whole, "unknown setting", source(value));
      set(whole, *field, value);
    });
  }

  void set(const std::string& name, const Field& field, const YAML::Node& value) {
    if (value.IsNull()) throw wrong_setting(name, "has no value", source(value));
    if (field.shape->json_type == JsonType::Array && value.IsSequence()) return list(name, value);
    if (!value.IsScalar()) throw wrong_setting(name, "must be one plain value", source(value));
    given_[name] = {value.Scalar(), source(value)};
  }

  void list(const std::string& name, const YAML::Node& items) {
    std::string text;
    for (const YAML::Node& item : items) {
      if (!item.IsScalar()) throw wrong_setting(name, "must hold plain values", source(item));
      text.append(text.empty() ? "" : ",").append(item.Scalar());
    }
    given_[name] = {text, source(items)};
  }

  template <class Visit>
  void each(const YAML::Node& node, const std::string& name, Visit visit) {
    if (!node.IsMap()) {
      throw wrong_setting(name.empty() ? "config" : name, "must hold names and values",
                          source(node));
    }
    std::set<std::string> seen;
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) {
        throw wrong_setting(name.empty() ? "config" : name, "has a key that is no name",
                            source(entry.second));
      }
      const std::string& key = entry.first.Scalar();
      const std::string whole = name.empty() ? key : name + "." + key;
      if (!seen.insert(key).second)
        throw wrong_setting(whole, "is set twice", source(entry.second));
      visit(key, entry.second);
    }
  }

  // An empty value has no line of its own.
  std::string source(const YAML::Node& node) const {
    const int line = node.Mark().line;
    return line < 0 ? path_ : path_ + ", line " + std::to_string(line + 1);
  }

  const std::string& path_;
  GivenValues& given_;
};

}  // namespace

void read_settings_file(const std::string& path, GivenValues& given) {
  const std::string text = text_of_file(path);
  try {
    if (has_more_documents(text, 1)) throw broken(path, "the file holds several documents");
    File(path, given).read(YAML::Load(text));
  } catch (const YAML::Exception& error) {
    throw broken(path + ", line " + std::to_string(error.mark.line + 1),
                 "is not YAML: " + error.msg);
  }
}

}  // namespace mp
