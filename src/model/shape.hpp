// Shapes of the member types that declarations use: numbers, text, times, enumerations, optionals,
// lists and described structs; and `field<&T::member>` and `resource<T>`, which make declarations.
// Included by the headers of src/model; everything else works with Field and Description.
#pragma once

#include "base/secret.hpp"
#include "base/time.hpp"
#include "model/field.hpp"
#include "model/format.hpp"
#include "model/reading.hpp"

#include <boost/pfr/tuple_size.hpp>

#include <array>
#include <optional>
#include <type_traits>
#include <vector>

namespace mp {

namespace json = boost::json;

template <class T>
struct ShapeOf;

namespace shape {

template <class T>
concept Enumeration =
    std::is_enum_v<T> && !std::is_null_pointer_v<std::remove_cv_t<decltype(names_of<T>)>>;

// What a JSON column keeps of a value.
template <class T>
json::value stored(const T& value) {
  if constexpr (requires { ShapeOf<T>::stored(value); })
    return ShapeOf<T>::stored(value);
  else
    return ShapeOf<T>::to_json(value);
}

// JSON text that holds a secret is sealed as a whole.
constexpr Column column_of(const Description& description) {
  for (const Field& field : description.fields) {
    if (field.stored() && field.shape->column == Column::Sealed) return Column::Sealed;
  }
  return Column::Text;
}

template <class T>
constexpr Column list_column() {
  if constexpr (requires { ShapeOf<T>::column; }) {
    if (ShapeOf<T>::column == Column::Sealed) return Column::Sealed;
  }
  return Column::Text;
}

}  // namespace shape

template <>
struct ShapeOf<bool> {
  static constexpr JsonType json_type = JsonType::Boolean;
  static constexpr Column column = Column::Integer;
  static json::value to_json(bool value) { return value; }
  static void from_json(bool& target, const json::value& value, const Rules&,
                        const std::string& path, Violations& violations) {
    shape::read_boolean(target, value, path, violations);
  }
  static json::object schema(const Rules&) { return {{"type", "boolean"}}; }
  static Cell to_cell(bool value) { return static_cast<std::int64_t>(value); }
  static void from_cell(bool& target, const Cell& cell) {
    target = std::get<std::int64_t>(cell) != 0;
  }
};

template <class T>
  requires(std::is_same_v<T, int> || std::is_same_v<T, std::int64_t>)
struct ShapeOf<T> {
  static constexpr JsonType json_type = JsonType::Integer;
  static constexpr Column column = Column::Integer;
  static json::value to_json(T value) { return value; }
  static void from_json(T& target, const json::value& value, const Rules& rules,
                        const std::string& path, Violations& violations) {
    Rules bounded = rules;
    bounded.min = std::max<std::int64_t>(rules.min, std::numeric_limits<T>::min());
    bounded.max = std::min<std::int64_t>(rules.max, std::numeric_limits<T>::max());
    std::int64_t read = 0;
    if (shape::read_integer(read, value, bounded, path, violations)) target = static_cast<T>(read);
  }
  static json::object schema(const Rules& rules) {
    const bool wide = sizeof(T) == sizeof(std::int64_t);
    return shape::number_schema("integer", wide ? "int64" : "int32", rules);
  }
  static Cell to_cell(T value) { return static_cast<std::int64_t>(value); }
  static void from_cell(T& target, const Cell& cell) {
    target = static_cast<T>(std::get<std::int64_t>(cell));
  }
};

template <>
struct ShapeOf<double> {
  static constexpr JsonType json_type = JsonType::Number;
  static constexpr Column column = Column::Real;
  static json::value to_json(double value) { return value; }
  static void from_json(double& target, const json::value& value, const Rules& rules,
                        const std::string& path, Violations& violations) {
    shape::read_number(target, value, rules, path, violations);
  }
  static json::object schema(const Rules& rules) {
    return shape::number_schema("number", "double", rules);
  }
  static Cell to_cell(double value) { return value; }
  static void from_cell(double& target, const Cell& cell) { target = std::get<double>(cell); }
};

template <>
struct ShapeOf<std::string> {
  static constexpr JsonType json_type = JsonType::String;
  static constexpr Column column = Column::Text;
  static json::value to_json(const std::string& value) { return json::value(value); }
  static void from_json(std::string& target, const json::value& value, const Rules& rules,
                        const std::string& path, Violations& violations) {
    shape::read_text(target, value, rules, path, violations);
  }
  static json::object schema(const Rules& rules) { return shape::text_schema(rules); }
  static Cell to_cell(const std::string& value) { return value; }
  static void from_cell(std::string& target, const Cell& cell) {
    target = std::get<std::string>(cell);
  }
};

template <>
struct ShapeOf<Secret> {
  static constexpr JsonType json_type = JsonType::String;
  static constexpr Column column = Column::Sealed;
  static json::value to_json(const Secret& value) { return json::value(value.reveal()); }
  static void from_json(Secret& target, const json::value& value, const Rules& rules,
                        const std::string& path, Violations& violations) {
    Rules quiet = rules;
    quiet.sensitive = true;
    std::string text;
    if (shape::read_text(text, value, quiet, path, violations)) target = Secret(std::move(text));
  }
  static json::object schema(const Rules& rules) { return shape::text_schema(rules); }
  static Cell to_cell(const Secret& value) { return value.reveal(); }
  static void from_cell(Secret& target, const Cell& cell) {
    target = Secret(std::get<std::string>(cell));
  }
};

template <>
struct ShapeOf<Time> {
  static constexpr JsonType json_type = JsonType::String;
  static constexpr Column column = Column::Integer;
  static json::value to_json(Time value) { return json::value(to_string(value)); }
  static void from_json(Time& target, const json::value& value, const Rules& rules,
                        const std::string& path, Violations& violations) {
    const auto* text = value.if_string();
    const auto read = text ? parse_time(*text) : std::nullopt;
    if (read)
      target = *read;
    else
      shape::add(violations, rules, path, "Must be an RFC 3339 time such as 2025-12-12T10:30:00Z",
                 value);
  }
  static json::object schema(const Rules&) { return {{"type", "string"}, {"format", "date-time"}}; }
  static Cell to_cell(Time value) { return to_milliseconds(value); }
  static void from_cell(Time& target, const Cell& cell) {
    target = from_milliseconds(std::get<std::int64_t>(cell));
  }
};

template <shape::Enumeration T>
struct ShapeOf<T> {
  static constexpr JsonType json_type = JsonType::String;
  static constexpr Column column = Column::Text;
  static json::value to_json(T value) {
    return json::value(names_of<T>[static_cast<std::size_t>(value)]);
  }
  static void from_json(T& target, const json::value& value, const Rules&, const std::string& path,
                        Violations& violations) {
    const int index = shape::read_enum(value, names_of<T>, path, violations);
    if (index >= 0) target = static_cast<T>(index);
  }
  static json::object schema(const Rules&) { return shape::enum_schema(names_of<T>); }
  static Cell to_cell(T value) { return std::string(names_of<T>[static_cast<std::size_t>(value)]); }
  static void from_cell(T& target, const Cell& cell) {
    Violations ignored;
    from_json(target, json::value(std::get<std::string>(cell)), {}, "", ignored);
  }
};

template <Described T>
struct ShapeOf<T> {
  static constexpr JsonType json_type = JsonType::Object;
  static constexpr Column column = shape::column_of(describe<T>);
  static json::value to_json(const T& value) { return mp::to_json(describe<T>, &value); }
  static json::value stored(const T& value) { return stored_json(describe<T>, &value); }
  static void from_json(T& target, const json::value& value, const Rules& rules,
                        const std::string& path, Violations& violations) {
    target = T{};
    if (rules.trusted)
      read_stored(describe<T>, &target, value);
    else
      read_new(describe<T>, &target, value, path, violations);
  }
  static json::object schema(const Rules&) { return mp::schema(describe<T>, SchemaOf::Answer); }
  static Cell to_cell(const T& value) { return shape::cell_text(stored(value)); }
  static void from_cell(T& target, const Cell& cell) {
    target = T{};
    read_stored(describe<T>, &target, shape::parse_cell(cell));
  }
};

template <class T>
struct ShapeOf<std::vector<T>> {
  static constexpr JsonType json_type = JsonType::Array;
  static constexpr Column column = shape::list_column<T>();
  static json::value to_json(const std::vector<T>& values) {
    json::array list;
    list.reserve(values.size());
    for (const T& each : values) list.push_back(ShapeOf<T>::to_json(each));
    return list;
  }
  static json::value stored(const std::vector<T>& values) {
    json::array list;
    list.reserve(values.size());
    for (const T& each : values) list.push_back(shape::stored(each));
    return list;
  }
  static void from_json(std::vector<T>& target, const json::value& value, const Rules& rules,
                        const std::string& path, Violations& violations) {
    target.clear();
    const json::array* list = shape::read_list(value, rules, path, violations);
    if (!list) return;
    for (std::size_t index = 0; index < list->size(); ++index) {
      T item{};
      ShapeOf<T>::from_json(item, (*list)[index], shape::item_rules(rules),
                            path + "[" + std::to_string(index) + "]", violations);
      target.push_back(std::move(item));
    }
  }
  static json::object schema(const Rules& rules) {
    return shape::list_schema(ShapeOf<T>::schema(shape::item_rules(rules)), rules);
  }
  static Cell to_cell(const std::vector<T>& values) { return shape::cell_text(stored(values)); }
  static void from_cell(std::vector<T>& target, const Cell& cell) {
    Violations ignored;
    from_json(target, shape::parse_cell(cell), shape::own_rules, "", ignored);
  }
};

template <class T>
struct ShapeOf<std::optional<T>> {
  static constexpr JsonType json_type = ShapeOf<T>::json_type;
  static constexpr Column column = ShapeOf<T>::column;
  static json::value to_json(const std::optional<T>& value) {
    return value ? ShapeOf<T>::to_json(*value) : json::value(nullptr);
  }
  static json::value stored(const std::optional<T>& value) {
    return value ? shape::stored(*value) : json::value(nullptr);
  }
  static void from_json(std::optional<T>& target, const json::value& value, const Rules& rules,
                        const std::string& path, Violations& violations) {
    if (value.is_null()) return target.reset();
    ShapeOf<T>::from_json(target.emplace(), value, rules, path, violations);
  }
  static json::object schema(const Rules& rules) {
    return shape::nullable(ShapeOf<T>::schema(rules));
  }
  static Cell to_cell(const std::optional<T>& value) {
    return value ? ShapeOf<T>::to_cell(*value) : Cell{};
  }
  static void from_cell(std::optional<T>& target, const Cell& cell) {
    if (std::holds_alternative<std::monostate>(cell)) return target.reset();
    ShapeOf<T>::from_cell(target.emplace(), cell);
  }
};

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

template <class T>
inline constexpr const Description* inner_of = nullptr;
template <Described T>
inline constexpr const Description* inner_of<T> = &describe<T>;
template <class T>
inline constexpr const Description* inner_of<std::optional<T>> = inner_of<T>;
template <class T>
inline constexpr const Description* inner_of<std::vector<T>> = inner_of<T>;

// The type-erased form of ShapeOf<T>.
template <class T>
inline constexpr Shape shape_of{
    .json_type = ShapeOf<T>::json_type,
    .column = ShapeOf<T>::column,
    .nullable = is_optional<T>,
    .inner = inner_of<T>,
    .to_json =
        [](const void* member) { return ShapeOf<T>::to_json(*static_cast<const T*>(member)); },
    .to_stored = [](const void* member) { return shape::stored(*static_cast<const T*>(member)); },
    .from_json =
        [](void* member, const json::value& value, const Rules& rules, const std::string& path,
           Violations& violations) {
          ShapeOf<T>::from_json(*static_cast<T*>(member), value, rules, path, violations);
        },
    .schema = [](const Rules& rules) { return ShapeOf<T>::schema(rules); },
    .to_cell =
        [](const void* member) { return ShapeOf<T>::to_cell(*static_cast<const T*>(member)); },
    .from_cell = [](void* member,
                    const Cell& cell) { ShapeOf<T>::from_cell(*static_cast<T*>(member), cell); },
};

namespace shape {

template <class Class, class Member>
Class class_of(Member Class::*);
template <class Class, class Member>
Member member_of(Member Class::*);

}  // namespace shape

// Breaks of these rules do not compile: the name is a plain word, the help a sentence, min <= max.
template <auto Pointer>
consteval Field field(std::string_view name, std::string_view help, Rules rules = {}) {
  using Class = decltype(shape::class_of(Pointer));
  using Member = decltype(shape::member_of(Pointer));
  if (name.empty()) throw "a field needs a name";
  for (const char letter : name) {
    if (!(letter >= 'a' && letter <= 'z') && !(letter >= '0' && letter <= '9') && letter != '_') {
      throw "a field's name is in snake_case";
    }
  }
  if (help.size() < 3 || help.back() != '.') throw "a field's help is a sentence";
  if (rules.min > rules.max) throw "min is above max";
  return {.name = name,
          .help = help,
          .rules = rules,
          .shape = &shape_of<Member>,
          .member = [](void* object) -> void* { return &(static_cast<Class*>(object)->*Pointer); }};
}

// Declares a struct whose members are all in `fields`, each once.
template <class T, std::size_t N>
consteval Description resource(std::string_view name, std::string_view plural,
                               std::string_view help, const std::array<Field, N>& fields,
                               void (*check)(const void*, Violations&) = nullptr,
                               void (*settle)(void*, std::span<const std::string_view>) = nullptr) {
  static_assert(boost::pfr::tuple_size_v<T> == N, "every member is declared exactly once");
  if (help.empty() || help.back() != '.') throw "a description is a sentence";
  for (std::size_t left = 0; left < N; ++left) {
    for (std::size_t right = left + 1; right < N; ++right) {
      if (fields[left].name == fields[right].name) throw "two fields have one name";
      if (fields[left].member == fields[right].member) throw "a member is declared twice";
    }
  }
  return {.name = name,
          .plural = plural,
          .help = help,
          .fields = fields,
          .check = check,
          .make = [] { return std::shared_ptr<void>(std::make_shared<T>()); },
          .settle = settle};
}

template <class T, std::size_t N>
consteval Description part(std::string_view name, std::string_view help,
                           const std::array<Field, N>& fields,
                           void (*check)(const void*, Violations&) = nullptr) {
  return resource<T>(name, "", help, fields, check);
}

}  // namespace mp
