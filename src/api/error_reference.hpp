// The table of error codes as Markdown: docs/reference/errors.md. Used by app/main.
#pragma once

#include <string>

namespace mp::api {

std::string error_reference();

}  // namespace mp::api
