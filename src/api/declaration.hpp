// An endpoint, declared once: what its noun's file says of it (Declaration), and what the signature
// of its handler adds (Endpoint, filled by endpoint.hpp). Router, OpenAPI, reference, access matrix
// and metrics labels follow from the list of these.
#pragma once

#include "access/rate.hpp"
#include "api/call.hpp"
#include "model/field.hpp"

#include <functional>
#include <string_view>
#include <vector>

namespace mp::api {

// A quick endpoint reads a few rows by their keys, whatever it is asked.
enum class Effort { Ordinary, Quick };

// What a POST, PUT, PATCH or DELETE leaves behind: a change in the log, which Prefer can wait for
// and an Idempotency-Key keeps from happening twice; or nothing of that kind.
enum class Effect { Change, Nothing };

// Endpoints that belong together: a tag of the OpenAPI document.
struct Group {
  std::string_view name;  // "services"
  std::string_view help;  // a sentence
};

// What stands beside the signature.
struct Declaration {
  std::string_view id;       // "list_services"
  std::string_view call;     // "GET /services/{id}"; with ^ before the path it is outside /api
  std::string_view summary;  // a sentence
  Needs needs = Needs::User;
  Rate rate = Rate::General;
  std::vector<Code> errors = {};  // beyond those that follow from the rest
  std::string_view feature = {};  // licence feature that opens it
  Effort effort = Effort::Ordinary;
  Through through = Through::Any;
  Effect effect = Effect::Change;
  std::vector<std::string_view> headers = {};  // of the good answer, beside those that follow
  const Description* document = nullptr;       // of a JSON document without the envelope
  std::string_view example = {};  // of a document without a description, as JSON where it is that
};

struct Parameter {
  std::string_view name;
  std::string_view in;  // "path" or "query"
  std::string help;
  boost::json::object schema;
  bool required = false;
  std::string component{};  // its name in the OpenAPI document, where several endpoints have it
};

// What stands in `data` of the good answer.
enum class Data { Nothing, Object, Page };

struct Endpoint {
  Declaration declaration;
  Group group{};
  std::string method;
  std::string path;      // "/services/{id}"
  bool at_root = false;  // outside /api
  std::vector<Parameter> parameters{};
  const Description* object = nullptr;  // whose id is in the path
  const Description* body = nullptr;
  std::string_view body_type = "application/json";
  SchemaOf body_schema = SchemaOf::Create;
  bool body_is_optional = false;
  bool has_etag = false;
  bool conditional = false;              // honours If-Match
  const Description* settles = nullptr;  // of the answer, when proxies decide on its status
  int status = 200;
  std::string location{};      // of what it makes, up to the id: "/services/"; empty: nowhere
  std::string content_type{};  // not empty: no envelope; several with ", " between
  Data data = Data::Nothing;
  const Description* data_of = nullptr;  // the object, or each on the page
  std::function<Reply(Call&)> run{};
};

}  // namespace mp::api
