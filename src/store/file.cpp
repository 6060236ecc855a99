#include "store/file.hpp"

#include "base/error.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace mp {
namespace {

Error failed(const std::string& path) {
  return Error(Code::Unavailable, path + ": " + std::strerror(errno));
}

struct Descriptor {
  int number;
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
};

void sync_directory(const std::string& path) {
  const Descriptor directory{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (directory.number < 0 || ::fsync(directory.number) != 0) throw failed(path);
}

}  // namespace

void create_private_file(const std::string& path, std::string_view content) {
  const std::string temporary = path + ".new";
  {
    const Descriptor file{
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
    if (file.number < 0) throw failed(temporary);
    std::string_view rest = content;
    while (!rest.empty()) {
      const auto written = ::write(file.number, rest.data(), rest.size());
      if (written < 0) throw failed(temporary);
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::fsync(file.number) != 0) throw failed(temporary);
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) throw failed(path);
  sync_directory(std::filesystem::path(path).parent_path().string());
}

void create_private_file_if_missing(const std::string& path) {
  const Descriptor file{::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (file.number < 0 && errno != EEXIST) throw failed(path);
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw failed(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void create_private_directory(const std::string& path) {
  std::error_code problem;
  if (std::filesystem::is_directory(path, problem)) return;
  const auto parent = std::filesystem::path(path).parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, problem);
  if (::mkdir(path.c_str(), 0700) == 0) return;
  const Error error = failed(path);  // before another call changes errno
  if (!std::filesystem::is_directory(path, problem)) throw error;
}

FileLock::FileLock(const std::string& path)
    : descriptor_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
  if (descriptor_ < 0) throw failed(path);
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
  ::close(descriptor_);
  throw Error(Code::Unavailable, path + ": another manager is running on this data directory");
}

FileLock::~FileLock() { ::close(descriptor_); }

}  // namespace mp
