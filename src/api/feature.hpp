// The gate of the licence: whether an endpoint's feature is open now. Asked by api/api for every
// endpoint that declares one, in no other place.
#pragma once

#include "api/call.hpp"

#include <string_view>

namespace mp::api {

// Throws Feature (402) when the licence does not open it; nothing for an empty name. Where several
// clusters are not open, it names the one to use.
void demand(Call& call, std::string_view feature);

}  // namespace mp::api
