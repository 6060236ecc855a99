// JSON values as YAML text, for documents that people read.
#pragma once

#include <boost/json/value.hpp>

#include <string>

namespace mp::api {

std::string yaml_text(const boost::json::value& value);

}  // namespace mp::api
