// Bodies of type multipart/form-data (RFC 7578) from JSON: files for the fields that are files,
// plain parts for the rest. Pure but for the boundary, which is random.
#pragma once

#include "model/field.hpp"

#include <boost/json/object.hpp>

#include <string>

namespace mp::cli {

struct FormData {
  std::string type;  // with the boundary
  std::string body;
};

// Members that are null become empty parts.
FormData form_of(const Description& parts, const boost::json::object& values);

}  // namespace mp::cli
