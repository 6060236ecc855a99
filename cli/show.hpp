// Objects on standard output, in the form that -o asks for.
#pragma once

#include "cli/console.hpp"
#include "cli/resource.hpp"

#include <boost/json/object.hpp>

namespace mp::cli {

enum class Form { Table, Json, Yaml, Wide, Name };
inline constexpr std::array form_names{std::string_view("table"), std::string_view("json"),
                                       std::string_view("yaml"), std::string_view("wide"),
                                       std::string_view("name")};

// The declared columns; wide has every field that fits into a cell.
std::vector<std::string_view> columns_of(const Resource& resource, Form form);

void show_list(Console& console, Form form, const Resource& resource,
               const std::vector<boost::json::object>& objects);

// One object whole: a line for each field, nested ones as "tls.enabled".
void show_object(Console& console, Form form, const Description& description,
                 const boost::json::object& object);

// With line ends and two spaces a level.
std::string pretty_json(const boost::json::value& value);

// Paths of the secrets that an answer shows this once.
enum class Occasion { Making, Reading };
std::vector<std::string> secrets_of(const Description& description,
                                    const boost::json::object& object, Occasion occasion);

}  // namespace mp::cli
