// The answers of an operation in the OpenAPI document: each status with its headers and schema.
#pragma once

#include "api/openapi_schemas.hpp"

namespace mp::api {

// `endpoints`: all of them, for links from what was made to what can be done with it.
boost::json::object answers_of(const Endpoint& endpoint, const std::vector<Endpoint>& endpoints,
                               Schemas& schemas);

// `components.responses`: the errors, which operations refer to.
boost::json::object error_components();

}  // namespace mp::api
