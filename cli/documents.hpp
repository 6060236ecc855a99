// The files that apply and plan are given: all their documents, in the order of the files.
#pragma once

#include "cli/yaml.hpp"

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace mp::cli {

// Throws Failure (Usage) naming the file and the place.
std::vector<Document> documents_of(const std::vector<std::string>& names);

// -f FILE, as often as it is given.
void add_file_option(CLI::App& command, std::vector<std::string>& names);

}  // namespace mp::cli
