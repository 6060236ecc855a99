// JSON text of described objects, written without the value in between: answers are made of it. It
// says exactly what serialising to_json() would.
#pragma once

#include "model/field.hpp"

#include <string>
#include <string_view>

namespace mp {

// Appends the visible fields as a JSON object.
void append_json(std::string& text, const Description& description, const void* object);
void append_json(std::string& text, const boost::json::value& value);
// Appends a JSON string.
void append_json(std::string& text, std::string_view value);

}  // namespace mp
