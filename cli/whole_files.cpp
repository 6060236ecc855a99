#include "cli/whole_files.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace mp::cli {
namespace {

using std::filesystem::path;

// Beside the file, so that a rename can bring it there; what a process of that number left is gone.
path fresh_name(const path& file) {
  path fresh = file.string() + "." + std::to_string(::getpid());
  ::unlink(fresh.c_str());
  return fresh;
}

void rename_to(const path& fresh, const path& file) {
  if (::rename(fresh.c_str(), file.c_str()) == 0) return;
  const Failure failure = broken(file);
  ::unlink(fresh.c_str());
  throw failure;
}

}  // namespace

Failure broken(const path& file, const std::string& what) {
  return wrong_usage(file.string() + ": " + what);
}

Failure broken(const path& file) { return broken(file, std::strerror(errno)); }

Descriptor::Descriptor(const path& file, int flags, mode_t mode)
    : number_(::open(file.c_str(), flags | O_CLOEXEC, mode)) {
  if (number_ < 0) throw broken(file);
}

Descriptor::~Descriptor() { ::close(number_); }

void write_new(const path& file, std::string_view text, mode_t mode) {
  const Descriptor target(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  while (!text.empty()) {
    const auto written = ::write(target.number(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw broken(file);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(target.number()) != 0) throw broken(file);
}

void replace(const path& file, std::string_view text) {
  const path fresh = fresh_name(file);
  write_new(fresh, text);
  rename_to(fresh, file);
}

void replace_by_link(const path& name, const path& target) {
  const path fresh = fresh_name(name);
  if (::symlink(target.c_str(), fresh.c_str()) != 0) throw broken(fresh);
  rename_to(fresh, name);
}

}  // namespace mp::cli
