#include "agent/cluster_key.hpp"

#include "agent/settings.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <utility>

namespace mp::agent {
namespace {

constexpr std::size_t longest_key = 1024;

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

}  // namespace

ClusterKey::ClusterKey(std::string file)
    : file_(std::move(file)), seen_(signature()), value_(read()) {
  struct stat facts{};
  if (stat(file_.c_str(), &facts) == 0 && (facts.st_mode & S_IROTH) != 0) {
    log::warning("every user can read the cluster key file; chmod 600 it", {{"file", file_}});
  }
}

ClusterKey::Signature ClusterKey::signature() const {
  struct stat facts{};
  if (stat(file_.c_str(), &facts) != 0) return {};
  return {static_cast<std::int64_t>(facts.st_ino), facts.st_size, facts.st_mtim.tv_sec,
          facts.st_mtim.tv_nsec};
}

Secret ClusterKey::read() const {
  std::string text(longest_key + 1, '\0');
  std::ifstream stream(file_, std::ios::binary);
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad() || !stream.is_open()) {
    throw SettingsError("--cluster-key-file: cannot read the file " + file_);
  }
  text.resize(static_cast<std::size_t>(stream.gcount()));
  const Secret whole(std::move(text));
  const auto word = trimmed(whole.reveal());
  const bool sound =
      !word.empty() && word.size() <= longest_key &&
      std::ranges::all_of(word, [](char letter) { return letter > ' ' && letter < 0x7f; });
  if (!sound) throw SettingsError("--cluster-key-file: " + file_ + " does not hold a key");
  return Secret(std::string(word));
}

bool ClusterKey::refresh() {
  const Signature now = signature();
  if (now == seen_) return false;
  seen_ = now;
  try {
    Secret fresh = read();
    if (fresh == value_) return false;
    value_ = std::move(fresh);
    return true;
  } catch (const SettingsError& error) {
    log::warning("the cluster key file changed, but the old key stays in use",
                 {{"reason", error.what()}});
    return false;
  }
}

}  // namespace mp::agent
