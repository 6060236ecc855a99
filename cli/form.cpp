#include "cli/form.hpp"

#include "base/outside.hpp"
#include "model/format.hpp"

#include <boost/json.hpp>

namespace mp::cli {
namespace {

bool is_file(const Field* field) {
  return field && !field->rules.format.empty() &&
         find_format(field->rules.format).standard == "binary";
}

std::string text_of(const boost::json::value& value) {
  if (value.is_null()) return {};
  return value.is_string() ? std::string(value.get_string()) : boost::json::serialize(value);
}

}  // namespace

FormData form_of(const Description& parts, const boost::json::object& values) {
  const std::string boundary = "marchctl-" + random_text(32);
  FormData form{.type = "multipart/form-data; boundary=" + boundary, .body = ""};
  for (const auto& member : values) {
    const std::string name(member.key());
    form.body += "--" + boundary + "\r\nContent-Disposition: form-data; name=\"" + name + "\"";
    if (is_file(find_field(parts, name)))
      form.body += "; filename=\"" + name + ".pem\"\r\nContent-Type: application/x-pem-file";
    form.body += "\r\n\r\n" + text_of(member.value()) + "\r\n";
  }
  form.body += "--" + boundary + "--\r\n";
  return form;
}

}  // namespace mp::cli
