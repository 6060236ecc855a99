// What an Envoy's own certificate is called in the file from which it reads it anew (SDS): the
// agent writes the file, the manager's bootstrap names it.
#pragma once

#include <string_view>

namespace mp {

inline constexpr std::string_view client_certificate_secret = "client_certificate";

}  // namespace mp
