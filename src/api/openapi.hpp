// The OpenAPI 3.0 document, generated from the endpoints' declarations. The same list that routes
// requests, so it cannot say anything that the program does not do.
#pragma once

#include "api/endpoint.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace mp::api {

boost::json::object openapi(const std::vector<Endpoint>& endpoints);
// As text; made once. YAML 1.2 is a superset of JSON, but people read this one.
const std::string& openapi_json();
const std::string& openapi_yaml();

// Errors that an endpoint can answer with: what follows from its declaration, and what it adds.
std::vector<Code> errors_of(const Endpoint& endpoint);

// {"success": …, "data": …, …} around a schema of `data`.
boost::json::object envelope_schema(boost::json::object data);
boost::json::object error_schema();

}  // namespace mp::api
