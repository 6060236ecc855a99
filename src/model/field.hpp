// The declaration of a field: its name, its help, its rules, and how generic code reaches it. JSON,
// checks, OpenAPI, SQL, list filters and the references are all derived from tables of Field.
// Generic code sees only `span<const Field>` and `void*`; templates stay in shape.hpp.
#pragma once

#include "base/error.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace mp {

// Who sets a field.
//   Normal: the client, at any time.   Fixed: the client, once.   Server: only we; the client sees
//   it. Hidden: only we, and only in the database.
enum class Mode { Normal, Fixed, Server, Hidden };

// Where a field lives: in a column, in rows of its own that belong to the object, nowhere, or
// (`Once`) only in the single answer that makes a secret; a client's `Once` field is only in the
// request.
enum class Kept { Stored, Linked, Computed, Once };

struct Rules {
  Mode mode = Mode::Normal;
  Kept kept = Kept::Stored;
  std::int64_t min = std::numeric_limits<std::int64_t>::min();  // number: value, text: characters,
  std::int64_t max = std::numeric_limits<std::int64_t>::max();  // list: items
  std::string_view format{};      // a name in model/format.hpp; for a list, of its items
  std::string_view references{};  // the noun an id points at
  bool required = false;          // must be sent although its default would do
  bool unique = false;            // no item of the list twice
  bool change_only = false;       // part of changes, not of what is made
  bool filter = false;            // ?field=value on the list
  bool sort = false;
  bool search = false;         // part of ?search=
  bool sensitive = false;      // never echoed in a violation
  std::string_view example{};  // JSON text
  bool trusted = false;        // read back from our own database: only types are checked
};

// A value in a database column. Times are milliseconds since 1970, booleans 0 and 1.
using Cell = std::variant<std::monostate, std::int64_t, double, std::string>;

// Sealed columns are text that the store's vault encrypts.
enum class Column { Integer, Real, Text, Sealed };
enum class JsonType { Boolean, Integer, Number, String, Array, Object };

struct Description;

// What generic code can do with a member without knowing its type.
struct Shape {
  JsonType json_type;
  Column column;
  bool nullable;
  const Description* inner;  // of a described struct, or of a list's items
  boost::json::value (*to_json)(const void* member);
  boost::json::value (*to_stored)(
      const void* member);  // the same inside a column: stored members alone
  // Checks and sets; on a breach adds violations and leaves the member unspecified.
  void (*from_json)(void* member, const boost::json::value& value, const Rules& rules,
                    const std::string& path, Violations& violations);
  boost::json::object (*schema)(const Rules& rules);  // OpenAPI 3.0, without the help
  Cell (*to_cell)(const void* member);
  void (*from_cell)(void* member, const Cell& cell);
};

struct Field {
  std::string_view name;
  std::string_view help;
  Rules rules;
  const Shape* shape;
  void* (*member)(void* object);

  const void* of(const void* object) const { return member(const_cast<void*>(object)); }
  constexpr bool visible() const { return rules.mode != Mode::Hidden; }
  constexpr bool writable() const {
    return rules.mode == Mode::Normal || rules.mode == Mode::Fixed;
  }
  constexpr bool in_answers() const {
    return visible() && !(rules.kept == Kept::Once && writable());
  }
  constexpr bool stored() const { return rules.kept == Kept::Stored; }
};

// A struct's declaration. Nested structs have no plural and no table of their own.
struct Description {
  std::string_view name{};    // "service"
  std::string_view plural{};  // "services": path segment, list member, table
  std::string_view help{};
  std::span<const Field> fields{};
  void (*check)(const void* object, Violations& violations) = nullptr;  // rules over several fields
  std::shared_ptr<void> (*make)() = nullptr;                            // a default instance
  // After the fields of a new object or of a change were read, before `check`: resets what no
  // longer fits and is not among the fields that were sent, and fills in what follows from others.
  void (*settle)(void* object, std::span<const std::string_view> changed) = nullptr;
};

template <class T>
inline constexpr Description describe{};

template <class T>
concept Described = !describe<T>.name.empty();

// Names of an enumeration's values, in order: specialise as std::array<std::string_view, N>.
template <class T>
inline constexpr std::nullptr_t names_of = nullptr;

const Field* find_field(const Description& description, std::string_view name);

// Whether a client must send it when creating: its default breaks its own rules, or the rules say
// so (then null does not do either).
bool required(const Description& description, const Field& field);

// ---- generic JSON ----

// The visible fields. Absent optional `Once` fields are left out, other absent ones are null.
boost::json::object to_json(const Description& description, const void* object);

// The stored fields alone, as a column of a surrounding row keeps them, and back: absent ones keep
// their default, so rows of older versions can be read.
boost::json::object stored_json(const Description& description, const void* object);
void read_stored(const Description& description, void* object, const boost::json::value& body);

// `body` without what the description does not know, at every depth.
boost::json::value without_unknown(const Description& description, const boost::json::value& body);

enum class Unknown { Refuse, Ignore };

// Reads a body into a fresh object: checks unknown, missing and server-set fields, and all rules at
// once.
void read_new(const Description& description, void* object, const boost::json::value& body,
              const std::string& path, Violations& violations, Unknown unknown = Unknown::Refuse);

// PUT: changes the fields that were sent; a nested object is replaced whole. What comes back
// unchanged is always accepted, server-set and fixed fields only so. Computed ones change on their
// own, so that of them all comes back that an answer can have said.
void read_change(const Description& description, void* object, const boost::json::value& body,
                 Violations& violations);

// What `patch` makes of `target` (RFC 7396 §2).
boost::json::value merge_patch(const boost::json::value& target, const boost::json::value& patch);

// RFC 7396 over `object`: nested objects merge, null resets a field to its default. Else as
// read_change.
void read_patch(const Description& description, void* object, const boost::json::value& body,
                Violations& violations);

// {"type": "object", "properties": …, "required": …}. `Create` leaves out what a client cannot set;
// `Update` requires nothing and has what may come back unchanged.
enum class SchemaOf { Answer, Create, Update };
boost::json::object schema(const Description& description, SchemaOf purpose);

// The same with the structs inside as the caller writes them, such as references to where they
// stand. `Null::Allowed`: the member may be null.
enum class Null { Refused, Allowed };
using InnerSchema =
    std::function<boost::json::object(const Description& inner, SchemaOf purpose, Null null)>;
boost::json::object schema(const Description& description, SchemaOf purpose,
                           const InnerSchema& inner);

// Whether a member of that schema is there in every object.
bool always_there(const Description& description, const Field& field, SchemaOf purpose);
bool in_schema(const Field& field, SchemaOf purpose);

// Text of a query parameter as the JSON its type wants; nullopt when it is none ("abc" for a
// number).
std::optional<boost::json::value> from_text(JsonType type, std::string_view text);

}  // namespace mp
