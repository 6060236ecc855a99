#include "cli/contexts.hpp"

#include "cli/whole_files.hpp"

#include <boost/json.hpp>

#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace mp::cli {
namespace {

namespace json = boost::json;
using std::filesystem::path;

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
