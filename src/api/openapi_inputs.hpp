// What an operation of the OpenAPI document takes: parameters, body and credentials.
#pragma once

#include "api/openapi_schemas.hpp"

namespace mp::api {

boost::json::array parameters_of(const Endpoint& endpoint);
// Null where the operation takes no body.
boost::json::value body_of(const Endpoint& endpoint, Schemas& schemas);
boost::json::array security_of(const Endpoint& endpoint);

// `components.parameters`, as far as the endpoints use them, and `components.securitySchemes`.
boost::json::object parameter_components(const std::vector<Endpoint>& endpoints);
boost::json::object security_components();

}  // namespace mp::api
