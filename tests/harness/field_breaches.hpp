// From the schema of a body to bodies that break it in one place each. Pure.
#pragma once

#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace mp::test {

struct Breach {
  std::string field;  // path of what is wrong: "auth_config.jwt_expiry"
  std::string kind;   // "missing", "null", "wrong type", "below", "above", "unknown"
  boost::json::object body;
};

// `good` is a body without a breach.
std::vector<Breach> breaches(const boost::json::object& schema, const boost::json::object& good);

}  // namespace mp::test
