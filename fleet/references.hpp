// What a resource makes Envoy ask for by name: endpoints, secrets, route configurations, scopes.
// Finds it in any message of the Envoy API, without a list of where it may stand. Used by the
// catalogue.
#pragma once

#include "fleet/catalogue.hpp"

#include <string>
#include <utility>
#include <vector>

namespace mp::fleet {

struct References {
  std::string name;  // the resource's own
  std::vector<std::pair<Type, std::string>> needs;
  bool scopes = false;
};

// `any` is a serialised google.protobuf.Any; bytes that are none refer to nothing.
References references_of(Type type, std::string_view any);

}  // namespace mp::fleet
