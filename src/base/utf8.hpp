// Whether bytes are text: JSON and the database take nothing else (RFC 3629, RFC 8259 §8.1).
#pragma once

#include <string_view>

namespace mp {

// Well-formed UTF-8: no surrogates, nothing longer than it must be.
bool is_utf8(std::string_view text);

}  // namespace mp
