// Bodies of multipart/form-data, as tests send them.
#pragma once

#include "api/api.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace mp::test {

struct FormPart {
  std::string name;
  bool is_file = false;
  std::string content;
};

extern const std::string form_type;  // the Content-Type with the boundary of form_body

std::string form_body(const std::vector<FormPart>& parts);

// Whether the endpoint takes such a body.
bool takes_form(const api::Endpoint& endpoint);

// A body of the endpoint, good or bad, as parts: a value of another type than text is sent the
// other way round than it should be, as a plain value or as a file.
std::vector<FormPart> form_parts(const api::Endpoint& endpoint, const boost::json::object& body);

}  // namespace mp::test
