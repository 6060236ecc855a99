// Reading a member deep inside a JSON value whose shape is not to be trusted. Used for everything
// the agent receives or finds on disk. Never throws on a wrong shape.
#pragma once

#include <boost/json/value.hpp>

#include <initializer_list>
#include <string>
#include <string_view>

namespace mp::agent {

using JsonPath = std::initializer_list<std::string_view>;

// nullptr when a step of the path is missing or no object.
const boost::json::value* find_at(const boost::json::value& root, JsonPath path);

// Empty when there is no string.
std::string text_at(const boost::json::value& root, JsonPath path);

// `otherwise` when there is no integer.
std::int64_t integer_at(const boost::json::value& root, JsonPath path, std::int64_t otherwise);

// null when the text is no JSON (RFC 8259).
boost::json::value parsed(std::string_view text);

}  // namespace mp::agent
