// Looking into JSON from outside, where anything may be missing: paths such as "config.state".
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace mp::cli {

// nullptr when there is no such member.
const boost::json::value* find_at(const boost::json::value& value, std::string_view path);

// "", 0, false, or an empty list or object unless there is one of that type.
std::string text_at(const boost::json::value& value, std::string_view path);
std::int64_t number_at(const boost::json::value& value, std::string_view path);
bool flag_at(const boost::json::value& value, std::string_view path);
const boost::json::array& list_at(const boost::json::value& value, std::string_view path);
const boost::json::object& object_at(const boost::json::value& value, std::string_view path);

// A scalar as people write it: 150.5, where the JSON library writes 1.505E2.
std::string number_text(const boost::json::value& value);

}  // namespace mp::cli
