// The OpenAPI 3.0 document, generated from the endpoints' declarations. The same list that routes
// requests, so it cannot say anything that the program does not do. Its parts are in openapi_*.
#pragma once

#include "api/declaration.hpp"

namespace mp::api {

boost::json::object openapi(const std::vector<Endpoint>& endpoints);
// As text; made once. YAML 1.2 is a superset of JSON, but people read this one.
const std::string& openapi_json();
const std::string& openapi_yaml();

// Errors that an endpoint can answer with: what follows from its declaration, and what it adds.
std::vector<Code> errors_of(const Endpoint& endpoint);

// Whether it makes changes that have a number, whether it counts against a rate limit, and whether
// it honours If-Match.
bool changes(const Endpoint& endpoint);
bool is_limited(const Endpoint& endpoint);
bool conditional(const Endpoint& endpoint);

}  // namespace mp::api
