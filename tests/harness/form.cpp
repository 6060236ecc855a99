#include "form.hpp"

#include "api/upload.hpp"

#include <boost/json.hpp>

namespace mp::test {

namespace json = boost::json;

const std::string form_type = "multipart/form-data; boundary=conversation";

std::string form_body(const std::vector<FormPart>& parts) {
  std::string body;
  for (const FormPart& part : parts) {
    body += "--conversation\r\nContent-Disposition: form-data; name=\"" + part.name + "\"";
    if (part.is_file) body += "; filename=\"" + part.name + ".pem\"";
    body += "\r\n\r\n" + part.content + "\r\n";
  }
  return body + "--conversation--\r\n";
}

bool takes_form(const api::Endpoint& endpoint) { return endpoint.body_type == api::form_data; }

std::vector<FormPart> form_parts(const api::Endpoint& endpoint, const json::object& body) {
  std::vector<FormPart> parts;
  for (const auto& member : body) {
    const Field* field = find_field(*endpoint.body, member.key());
    const bool is_text = field && field->shape->json_type == JsonType::String;
    const json::value& value = member.value();
    const bool turned = is_text && !value.is_string();
    parts.push_back({.name = member.key(),
                     .is_file = field && api::is_file(*field) != turned,
                     .content = value.is_string()
                                    ? std::string(std::string_view(value.get_string()))
                                : value.is_null() ? ""
                                                  : json::serialize(value)});
  }
  return parts;
}

}  // namespace mp::test
