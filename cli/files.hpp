// Reading what people hand over: files of bounded size, "-" for standard input, folders of
// documents.
#pragma once

#include "base/secret.hpp"

#include <string>
#include <vector>

namespace mp::cli {

// At most 8 MiB. Throws Failure (Usage).
std::string text_of_file(const std::string& name);

// The file without its last line end.
Secret secret_of_file(const std::string& name);

// The *.yaml, *.yml and *.json files of a folder by name, or the file itself.
std::vector<std::string> files_of(const std::string& name);

}  // namespace mp::cli
