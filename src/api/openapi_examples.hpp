// Examples for the OpenAPI document, made from the declarations: what a field names as its example,
// or the plainest value that its schema takes.
#pragma once

#include "api/declaration.hpp"

namespace mp::api {

// A body or an answer: bodies have what must be sent and what the declaration has an example for.
boost::json::object example_of(const Description& description, SchemaOf purpose);
// Of a parameter that names none: its default, or the plainest value.
boost::json::value example_of(const boost::json::object& schema);

// A whole good answer, and a whole error.
boost::json::object example_answer(const Endpoint& endpoint);
boost::json::object example_error(const CodeFacts& code);

}  // namespace mp::api
