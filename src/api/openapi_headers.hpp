// Headers of answers, each declared once for the OpenAPI document: what it says, its schema, and
// whether every answer that lists it carries it.
#pragma once

#include <boost/json/object.hpp>

#include <string_view>

namespace mp::api {

// {"X-Request-ID": {"$ref": …}} for `components.headers` keys.
void add_header(boost::json::object& headers, std::string_view component);

// Where an answer comes from: it decides on the headers that all of them share. Under /api there is
// the alias /api/v0, and what counts against a rate limit says how much is left.
enum class Place { Root, Unlimited, Limited };
boost::json::object common_headers(Place place);

// `components.headers`.
boost::json::object header_components();

}  // namespace mp::api
