#include "xds/rules.hpp"

#include "validate/validate.pb.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/duration.pb.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace mp::xds {
namespace {

using google::protobuf::Any;
using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::Duration;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MessageFactory;
using google::protobuf::Reflection;
using validate::FieldRules;

template <class Rules, class Number>
bool in_range(const Rules& rules, Number value) {
  return !(rules.has_gt() && value <= rules.gt()) && !(rules.has_gte() && value < rules.gte()) &&
         !(rules.has_lt() && value >= rules.lt()) && !(rules.has_lte() && value > rules.lte());
}

std::int64_t nanoseconds(const Duration& duration) {
  return duration.seconds() * 1'000'000'000 + duration.nanos();
}

bool in_range(const validate::DurationRules& rules, const Duration& duration) {
  const std::int64_t value = nanoseconds(duration);
  return !(rules.has_gt() && value <= nanoseconds(rules.gt())) &&
         !(rules.has_gte() && value < nanoseconds(rules.gte())) &&
         !(rules.has_lt() && value >= nanoseconds(rules.lt())) &&
         !(rules.has_lte() && value > nanoseconds(rules.lte()));
}

bool holds(const validate::StringRules& rules, const std::string& text) {
  if (rules.ignore_empty() && text.empty()) return true;
  return !(rules.has_min_len() && text.size() < rules.min_len()) &&
         !(rules.has_min_bytes() && text.size() < rules.min_bytes()) &&
         !(rules.has_max_bytes() && text.size() > rules.max_bytes());
}

// A value of a scalar field, or of its google.protobuf.*Value wrapper: `field` and `message` name
// it.
bool holds(const FieldRules& rules, const Message& message, const FieldDescriptor& field) {
  const Reflection& see = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return !rules.has_string() || holds(rules.string(), see.GetString(message, &field));
    case FieldDescriptor::CPPTYPE_UINT32:
      return !rules.has_uint32() || in_range(rules.uint32(), see.GetUInt32(message, &field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return !rules.has_uint64() || in_range(rules.uint64(), see.GetUInt64(message, &field));
    case FieldDescriptor::CPPTYPE_INT32:
      return !rules.has_int32() || in_range(rules.int32(), see.GetInt32(message, &field));
    case FieldDescriptor::CPPTYPE_INT64:
      return !rules.has_int64() || in_range(rules.int64(), see.GetInt64(message, &field));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return !rules.has_double_() || in_range(rules.double_(), see.GetDouble(message, &field));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return !rules.has_float_() || in_range(rules.float_(), see.GetFloat(message, &field));
    case FieldDescriptor::CPPTYPE_ENUM: {
      const int value = see.GetEnumValue(message, &field);
      return !rules.enum_().defined_only() ||
             field.enum_type()->FindValueByNumber(value) != nullptr;
    }
    default: return true;
  }
}

bool holds_message(const FieldRules& rules, const Message& value) {
  if (rules.has_duration() && value.GetDescriptor() == Duration::descriptor()) {
    return in_range(rules.duration(), static_cast<const Duration&>(value));
  }
  const bool wrapper = value.GetDescriptor()->file()->name() == "google/protobuf/wrappers.proto";
  return !wrapper || holds(rules, value, *value.GetDescriptor()->field(0));
}

bool required(const FieldRules& rules) {
  return rules.message().required() || rules.any().required() || rules.duration().required();
}

// Walks one message and all below. Where it is stands in a stack, and becomes text for a breach
// only.
class Walk {
 public:
  explicit Walk(RuleCheck& check) : check_(check) {}

  void enter(const Message& message) {
    if (check_.visit) check_.visit(message);
    if (message.GetDescriptor() == Any::descriptor())
      return enter_any(static_cast<const Any&>(message));
    const Descriptor& type = *message.GetDescriptor();
    for (int at = 0; at < type.field_count(); ++at) {
      path_.push_back({.field = type.field(at)});
      check_field(message, *type.field(at));
      path_.pop_back();
    }
    for (int at = 0; at < type.real_oneof_decl_count(); ++at) {
      const auto& choice = *type.oneof_decl(at);
      if (message.GetReflection()->HasOneof(message, &choice)) continue;
      if (choice.options().GetExtension(validate::required)) breach("lacks " + choice.name());
    }
  }

 private:
  struct Step {
    const FieldDescriptor* field = nullptr;  // of the message before,
    const Descriptor* inside = nullptr;      // or what stands in an Any
    int index = -1;
  };

  void breach(const std::string& what) {
    std::string where;
    for (const Step& step : path_) {
      where += step.field ? "." + step.field->name() : "(" + step.inside->name() + ")";
      if (step.index >= 0) where += "[" + std::to_string(step.index) + "]";
    }
    check_.breaches.push_back(where + " " + what);
  }

  void enter_any(const Any& any) {
    const std::string name = any.type_url().substr(any.type_url().rfind('/') + 1);
    const Descriptor* type = DescriptorPool::generated_pool()->FindMessageTypeByName(name);
    if (!type) return breach("has an unknown type " + name);
    const std::unique_ptr<Message> inside(
        MessageFactory::generated_factory()->GetPrototype(type)->New());
    if (!inside->ParseFromString(any.value())) return breach("cannot be read as " + name);
    path_.push_back({.inside = type});
    enter(*inside);
    path_.pop_back();
  }

  void check_field(const Message& message, const FieldDescriptor& field) {
    const Reflection& see = *message.GetReflection();
    const bool empty = field.is_repeated() ? see.FieldSize(message, &field) == 0
                                           : field.has_presence() && !see.HasField(message, &field);
    const FieldRules& rules = field.options().GetExtension(validate::rules);
    if (field.is_repeated()) {
      check_count(static_cast<std::uint64_t>(see.FieldSize(message, &field)), rules);
      if (!empty) check_items(message, field, rules);
      return;
    }
    if (empty) {
      // A rule on a member of a oneof counts only when that member is the one chosen.
      if (required(rules) && !field.real_containing_oneof()) breach("is required");
      return;
    }
    if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      if (!holds(rules, message, field)) breach("is out of its limits");
      return;
    }
    const Message& value = see.GetMessage(message, &field);
    if (!holds_message(rules, value)) breach("is out of its limits");
    enter(value);
  }

  void check_count(std::uint64_t count, const FieldRules& rules) {
    if (rules.repeated().has_min_items() && count < rules.repeated().min_items())
      breach("has too few items");
    if (rules.repeated().has_max_items() && count > rules.repeated().max_items())
      breach("has too many items");
    if (rules.map().has_min_pairs() && count < rules.map().min_pairs()) breach("has too few items");
  }

  void check_items(const Message& message, const FieldDescriptor& field, const FieldRules& rules) {
    const Reflection& see = *message.GetReflection();
    const bool texts = field.cpp_type() == FieldDescriptor::CPPTYPE_STRING &&
                       rules.repeated().items().has_string();
    for (int at = 0; at < see.FieldSize(message, &field); ++at) {
      path_.back().index = at;
      if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        enter(see.GetRepeatedMessage(message, &field, at));
      } else if (texts && !holds(rules.repeated().items().string(),
                                 see.GetRepeatedString(message, &field, at))) {
        breach("is out of its limits");
      }
    }
  }

  RuleCheck& check_;
  std::vector<Step> path_;
};

}  // namespace

void check_rules(const Message& message, RuleCheck& check) { Walk(check).enter(message); }

}  // namespace mp::xds
