// What `search` looks through in a list: said in the API's document and in marchctl's help.
#pragma once

#include "model/field.hpp"

#include <string>

namespace mp {

// "name, ip_fqdn"; empty when the noun cannot be searched. A field that links other objects is
// searched by their names.
inline std::string searched_fields(const Description& noun) {
  std::string names;
  for (const Field& field : noun.fields) {
    if (field.rules.search || field.rules.kept == Kept::Linked)
      names.append(names.empty() ? "" : ", ").append(field.name);
  }
  return names;
}

}  // namespace mp
