// The product's version, as programs, /healthz and registrations name it.
#pragma once

#include <string_view>

namespace mp {

inline constexpr std::string_view version = "v1.0.0";

}  // namespace mp
