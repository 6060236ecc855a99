// The YAML file of settings: sections hold settings, settings hold one plain value each. Used only
// by command.cpp.
#pragma once

#include "settings/option.hpp"

#include <string>

namespace mp {

// Reads a file of at most 64 KiB into `given`. Throws mp::Error, one line, for a file that cannot
// be read or parsed, for unknown and for repeated keys, and for a list or section where a value
// belongs.
void read_settings_file(const std::string& path, GivenValues& given);

}  // namespace mp
