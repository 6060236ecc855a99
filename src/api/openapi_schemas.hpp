// The schemas of the OpenAPI document: each struct once, under its name, and around it the envelope
// of answers and errors. Filled while the operations are written, so that it holds what they use.
#pragma once

#include "api/declaration.hpp"

namespace mp::api {

class Schemas {
 public:
  Schemas();

  // A reference to the struct's schema, which is added when it is new.
  boost::json::object body(const Description& description, SchemaOf purpose);
  boost::json::object document(const Description& description);
  // To that of a good answer, with its envelope.
  boost::json::object answer(const Endpoint& endpoint);

  boost::json::object all() const { return schemas_; }

 private:
  boost::json::object inner(const Description& description, SchemaOf purpose, Null null);
  boost::json::object place(const std::string& name, const Description& description,
                            SchemaOf purpose, Null null);
  boost::json::object page(const Description& description);

  boost::json::object schemas_;
};

// "service_endpoint" as a schema's name: "ServiceEndpoint".
std::string camel_case(std::string_view name);

// References to the schemas of errors.
boost::json::object error_reference(Code code);

}  // namespace mp::api
