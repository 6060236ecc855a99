// Plain code behind the templates of shape.hpp: schemas, and reading JSON values with their rules.
#pragma once

#include "model/field.hpp"

namespace mp::shape {

boost::json::object number_schema(std::string_view type, std::string_view format,
                                  const Rules& rules);
boost::json::object text_schema(const Rules& rules);
boost::json::object enum_schema(std::span<const std::string_view> names);
boost::json::object list_schema(boost::json::object item, const Rules& rules);
boost::json::object nullable(boost::json::object schema);
bool read_integer(std::int64_t& target, const boost::json::value& value, const Rules& rules,
                  const std::string& path, Violations& violations);
bool read_number(double& target, const boost::json::value& value, const Rules& rules,
                 const std::string& path, Violations& violations);
bool read_boolean(bool& target, const boost::json::value& value, const std::string& path,
                  Violations& violations);
bool read_text(std::string& target, const boost::json::value& value, const Rules& rules,
               const std::string& path, Violations& violations);
// The index in `names`, or -1 after adding a violation.
int read_enum(const boost::json::value& value, std::span<const std::string_view> names,
              const std::string& path, Violations& violations);
const boost::json::array* read_list(const boost::json::value& value, const Rules& rules,
                                    const std::string& path, Violations& violations);
void refuse_repeats(const boost::json::value& list, const std::string& path,
                    Violations& violations);
void add(Violations& violations, const Rules& rules, const std::string& path, std::string issue,
         const boost::json::value& provided);
std::size_t code_points(std::string_view text);  // of UTF-8
boost::json::value parse_cell(const Cell& cell);
std::string cell_text(const boost::json::value& value);

// Rules for an item of a list: counts are the list's, formats the item's.
inline Rules item_rules(const Rules& rules) {
  return {.mode = rules.mode,
          .format = rules.format,
          .sensitive = rules.sensitive,
          .trusted = rules.trusted};
}

inline constexpr Rules own_rules{.trusted = true};

}  // namespace mp::shape
