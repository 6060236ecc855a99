// The lines that tell two texts apart, as a unified difference. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mp::cli {

// The lines of the hunks, from "@@ -1,3 +1,4 @@" on, with three lines around each change; empty for
// equal texts.
std::vector<std::string> difference(std::string_view before, std::string_view after);

}  // namespace mp::cli
