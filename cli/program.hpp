// The command line as a whole: what main.cpp parses, and what completion and the reference page are
// made from.
#pragma once

#include "cli/tool.hpp"

#include <memory>

namespace mp::cli {

inline constexpr std::string_view program_name = "marchctl";

std::unique_ptr<CLI::App> make_program(Tool& tool);

// Runs one command and tells its failure on standard error.
Exit run(int count, const char* const* arguments);

}  // namespace mp::cli
