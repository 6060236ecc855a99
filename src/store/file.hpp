// Small private files of the data directory: made whole or not at all, and durable when made.
#pragma once

#include <string>
#include <string_view>

namespace mp {

// Creates `path` with mode 0600 and these bytes, synced with its directory. An existing file is
// replaced. Throws Unavailable naming the path.
void create_private_file(const std::string& path, std::string_view content);
// Leaves an existing file as it is, and does not open it: whoever closes a file ends all locks that
// his process has on it (fcntl(2)), and SQLite's are such locks.
void create_private_file_if_missing(const std::string& path);
std::string read_file(const std::string& path);
// Makes the directory (mode 0700) and its parents.
void create_private_directory(const std::string& path);

// Holds an exclusive lock on a file for as long as it lives (flock). Throws Unavailable when
// another process holds it.
class FileLock {
 public:
  explicit FileLock(const std::string& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace mp
