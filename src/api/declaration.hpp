// What stands beside the signature of an endpoint: its name and path, who may call it and how
// often. Each noun's file declares its own; endpoint.hpp makes an Endpoint of it.
#pragma once

#include "access/policy.hpp"
#include "access/rate.hpp"
#include "base/error.hpp"

#include <string_view>
#include <vector>

namespace mp::api {

// A quick endpoint reads a few rows by their keys, whatever it is asked.
enum class Effort { Ordinary, Quick };

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
};

}  // namespace mp::api
