// Files that are whole on disk when a function returns, or were not touched. Throws Failure (Usage)
// that names the file.
#pragma once

#include "cli/failure.hpp"

#include <fcntl.h>
#include <sys/types.h>

#include <filesystem>
#include <string_view>

namespace mp::cli {

// What errno says about it, or these words.
Failure broken(const std::filesystem::path& file);
Failure broken(const std::filesystem::path& file, const std::string& what);

class Descriptor {
 public:
  Descriptor(const std::filesystem::path& file, int flags, mode_t mode = 0600);
  ~Descriptor();
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

// A file that must not be there yet.
void write_new(const std::filesystem::path& file, std::string_view text, mode_t mode = 0600);

// Readers see the old file or the new one.
void replace(const std::filesystem::path& file, std::string_view text);

// A link to `target` takes the place of whatever has that name, but of a folder.
void replace_by_link(const std::filesystem::path& name, const std::filesystem::path& target);

}  // namespace mp::cli
