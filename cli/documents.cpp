#include "cli/documents.hpp"

#include "cli/files.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <filesystem>

namespace mp::cli {

std::vector<Document> documents_of(const std::vector<std::string>& names) {
  std::vector<Document> documents;
  for (const auto& name : names) {
    for (const auto& file : files_of(name)) {
      const std::string shown = file == "-" ? "standard input" : file;
      const std::string folder =
          file == "-" ? "." : std::filesystem::path(file).parent_path().string();
      for (Document& each : read_documents(text_of_file(file), shown)) {
        each.folder = folder;
        documents.push_back(std::move(each));
      }
    }
  }
  return documents;
}

void add_file_option(CLI::App& command, std::vector<std::string>& names) {
  command.add_option("-f,--file", names, "YAML or JSON; a folder of such; - is standard input")
      ->type_name("FILE")
      ->required()
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
}

}  // namespace mp::cli
