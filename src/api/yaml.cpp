#include "api/yaml.hpp"

#include <yaml-cpp/yaml.h>

namespace mp::api {
namespace {

void emit(YAML::Emitter& emitter, const boost::json::value& value) {
  if (const auto* object = value.if_object()) {
    if (object->empty()) emitter << YAML::Flow;
    emitter << YAML::BeginMap;
    for (const auto& member : *object) {
      emitter << YAML::Key << YAML::DoubleQuoted << std::string(member.key()) << YAML::Value;
      emit(emitter, member.value());
    }
    emitter << YAML::EndMap;
  } else if (const auto* list = value.if_array()) {
    if (list->empty()) emitter << YAML::Flow;
    emitter << YAML::BeginSeq;
    for (const auto& item : *list) emit(emitter, item);
    emitter << YAML::EndSeq;
  } else if (const auto* text = value.if_string()) {
    emitter << YAML::DoubleQuoted << std::string(*text);  // never read as a number or a date
  } else if (const auto* flag = value.if_bool()) {
    emitter << *flag;
  } else if (value.is_null()) {
    emitter << YAML::Null;
  } else if (value.is_double()) {
    emitter << value.as_double();
  } else {
    emitter << value.to_number<std::int64_t>();
  }
}

}  // namespace

std::string yaml_text(const boost::json::value& value) {
  YAML::Emitter emitter;
  emit(emitter, value);
  return std::string(emitter.c_str()) + "\n";
}

}  // namespace mp::api
