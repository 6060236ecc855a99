#include "cli/files.hpp"

#include "cli/failure.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

namespace mp::cli {
namespace {

constexpr std::size_t largest_file = 8u << 20;

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

std::string read_all(std::FILE* file, const std::string& name) {
  std::string text;
  std::array<char, 65536> part{};
  while (const std::size_t size = std::fread(part.data(), 1, part.size(), file)) {
    text.append(part.data(), size);
    if (text.size() > largest_file) throw wrong_usage(name + ": is larger than 8 MiB");
  }
  if (std::ferror(file) != 0) throw wrong_usage(name + ": " + std::strerror(errno));
  return text;
}

}  // namespace

std::string text_of_file(const std::string& name) {
  if (name == "-") return read_all(stdin, "standard input");
  const std::unique_ptr<std::FILE, Close> file(std::fopen(name.c_str(), "rb"));
  if (!file) throw wrong_usage(name + ": " + std::strerror(errno));
  return read_all(file.get(), name);
}

Secret secret_of_file(const std::string& name) {
  std::string text = text_of_file(name);
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  if (text.empty()) throw wrong_usage(name + ": is empty");
  return Secret(std::move(text));
}

std::vector<std::string> files_of(const std::string& name) {
  std::error_code failure;
  if (name == "-" || !std::filesystem::is_directory(name, failure)) return {name};
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(name, failure)) {
    const auto ending = entry.path().extension();
    if (entry.is_regular_file() && (ending == ".yaml" || ending == ".yml" || ending == ".json"))
      files.push_back(entry.path().string());
  }
  if (failure) throw wrong_usage(name + ": " + failure.message());
  if (files.empty()) throw wrong_usage(name + ": holds no .yaml, .yml or .json file");
  std::ranges::sort(files);
  return files;
}

}  // namespace mp::cli
