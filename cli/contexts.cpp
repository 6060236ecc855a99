#include "cli/contexts.hpp"

#include "cli/failure.hpp"

#include <boost/json.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

namespace mp::cli {
namespace {

namespace json = boost::json;
using std::filesystem::path;

Failure broken(const path& file, const std::string& what) {
  return wrong_usage(file.string() + ": " + what);
}

Failure broken(const path& file) { return broken(file, std::strerror(errno)); }

class Descriptor {
 public:
  Descriptor(const path& file, int flags) : number_(::open(file.c_str(), flags | O_CLOEXEC, 0600)) {
    if (number_ < 0) throw broken(file);
  }
  ~Descriptor() { ::close(number_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

void write_all(const path& file, const Descriptor& target, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(target.number(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw broken(file);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(target.number()) != 0) throw broken(file);
}

// Readers see the old file or the new one.
void replace(const path& file, std::string_view text) {
  const path fresh = file.string() + "." + std::to_string(::getpid());
  ::unlink(fresh.c_str());  // of a process of that number that died
  {
    const Descriptor target(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
    write_all(fresh, target, text);
  }
  if (::rename(fresh.c_str(), file.c_str()) != 0) throw broken(file);
}

void make_folder(const path& folder) {
  std::error_code failure;
  if (folder.has_parent_path()) std::filesystem::create_directories(folder.parent_path(), failure);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) throw broken(folder);
  if (::chmod(folder.c_str(), 0700) != 0) throw broken(folder);
}

}  // namespace

Context* ContextFile::find(std::string_view name) {
  const auto found = std::ranges::find(contexts, name, &Context::name);
  return found == contexts.end() ? nullptr : &*found;
}

Contexts::Contexts(path folder) : folder_(std::move(folder)) {}

ContextFile Contexts::load() const {
  ContextFile kept;
  std::error_code failure;
  if (folder_.empty() || !std::filesystem::exists(file(), failure)) return kept;
  std::ifstream stream(file(), std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  if (!stream) throw broken(file(), "cannot be read");
  json::error_code wrong;
  const json::value value = json::parse(text.str(), wrong);
  if (wrong || !value.is_object()) throw broken(file(), "is not what marchctl writes");
  read_stored(describe<ContextFile>, &kept, value);
  return kept;
}

void Contexts::update(const std::function<void(ContextFile&)>& change) {
  if (folder_.empty())
    throw wrong_usage("there is no place to keep a sign-in: set HOME or XDG_CONFIG_HOME");
  make_folder(folder_);
  const Descriptor lock(folder_ / "marchctl.lock", O_RDWR | O_CREAT);
  if (::flock(lock.number(), LOCK_EX) != 0) throw broken(folder_ / "marchctl.lock");
  ContextFile kept = load();
  change(kept);
  replace(file(), json::serialize(stored_json(describe<ContextFile>, &kept)) + "\n");
}

path default_folder() {
  const auto absolute = [](const char* name) {
    const char* value = std::getenv(name);
    return value && value[0] == '/' ? path(value) : path();
  };
  if (const path config = absolute("XDG_CONFIG_HOME"); !config.empty())
    return config / "marchproxy";
  if (const path home = absolute("HOME"); !home.empty()) return home / ".config" / "marchproxy";
  return {};
}

}  // namespace mp::cli
