#include "api/upload.hpp"

#include "api/body.hpp"
#include "api/multipart.hpp"
#include "base/utf8.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace mp::api {
namespace {

namespace json = boost::json;

// A part as the JSON value of its field; an empty one is null where there is such a value.
void take_part(json::object& body, const Field& field, const Part& part, Violations& violations) {
  if (is_file(field) != part.is_file) {
    violations.push_back({part.name, part.is_file ? "Must be a plain value, not a file"
                                                  : "Must be sent as a file, with a file name"});
  } else if (part.is_file) {
    body[part.name] = part.content;
  } else if (!is_utf8(part.content)) {  // files are bytes, plain values are text as in JSON
    violations.push_back({part.name, "Must be UTF-8"});
  } else if (part.content.empty() && field.shape->nullable) {
    body[part.name] = nullptr;
  } else {
    const auto value = from_text(field.shape->json_type, part.content);
    body[part.name] = value ? *value : json::value(part.content);
  }
}

json::object body_of(const Call& call, const Description& description, Violations& violations) {
  refuse_encoding(call.request);
  const std::string_view type = call.request.header("Content-Type");
  if (!is_form_data(type))
    throw Error(Code::UnsupportedMediaType, "The body must be multipart/form-data");
  json::object body;
  std::vector<std::string_view> seen;
  const auto parts = parse_multipart(type, call.request.body);
  for (const Part& part : parts) {
    const Field* field = find_field(description, part.name);
    const bool repeated = std::ranges::find(seen, part.name) != seen.end();
    seen.push_back(part.name);
    if (repeated)
      violations.push_back({part.name, "Is sent twice"});
    else if (!field)
      violations.push_back({part.name, "Is not a known part"});
    else
      take_part(body, *field, part, violations);
  }
  return body;
}

// A part that was sent and is wrong is not missing as well.
void add_others(Violations& violations, Violations others) {
  for (Violation& each : others) {
    const bool named = std::ranges::any_of(
        violations, [&](const Violation& first) { return first.field == each.field; });
    if (!named) violations.push_back(std::move(each));
  }
}

template <class Take>
Violations read(const Call& call, const Description& description, Take take) {
  Violations violations, others;
  const json::object body = body_of(call, description, violations);
  take(body, others);
  add_others(violations, std::move(others));
  return violations;
}

}  // namespace

bool is_file(const Field& field) {
  return !field.rules.format.empty() && find_format(field.rules.format).standard == "binary";
}

Violations read_upload(const Call& call, const Description& description, void* object) {
  return read(call, description, [&](const json::object& body, Violations& violations) {
    read_new(description, object, body, "", violations);
  });
}

Violations read_upload_change(const Call& call, const Description& description, void* object) {
  return read(call, description, [&](const json::object& body, Violations& violations) {
    read_change(description, object, body, violations);
  });
}

}  // namespace mp::api
