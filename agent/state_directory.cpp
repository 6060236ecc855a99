#include "agent/state_directory.hpp"

#include "agent/json_path.hpp"
#include "agent/settings.hpp"
#include "base/client_certificate.hpp"

#include <boost/json/serialize.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

namespace json = boost::json;

namespace mp::agent {
namespace {

constexpr std::uintmax_t largest_log = 16u << 20;

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

void write_all(int file, std::string_view bytes, const std::string& name) {
  while (!bytes.empty()) {
    const ssize_t written = write(file, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) fail("cannot write " + name);
    if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void make_directory(const std::string& path) {
  std::error_code failure;
  const auto parent = std::filesystem::path(path).parent_path();
  std::filesystem::create_directories(parent, failure);
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    throw SettingsError("--state-dir: cannot make " + path + ": " +
                        std::generic_category().message(errno));
  }
  struct stat facts{};
  if (stat(path.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode) ||
      access(path.c_str(), W_OK | X_OK) != 0) {
    throw SettingsError("--state-dir: cannot write to " + path);
  }
  if ((facts.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    throw SettingsError("--state-dir: other users can write to " + path + "; chmod 700 it");
  }
}

std::optional<std::string> contents(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

}  // namespace

StateDirectory::StateDirectory(std::string path) : path_(std::move(path)) {
  while (path_.size() > 1 && path_.ends_with('/')) path_.pop_back();
  make_directory(path_);
  lock_ = open((path_ + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock_ < 0) throw SettingsError("--state-dir: cannot write to " + path_);
  if (flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    close(lock_);
    throw DirectoryBusy("another agent uses the state directory " + path_);
  }
}

StateDirectory::~StateDirectory() { close(lock_); }

std::optional<Bootstrap> StateDirectory::bootstrap() const {
  auto text = contents(bootstrap_file());
  if (!text) return std::nullopt;
  try {
    return read_bootstrap(std::move(*text));
  } catch (const BadBootstrap& error) {
    log::warning("the stored bootstrap is not used", {{"reason", error.what()}});
    return std::nullopt;
  }
}

std::optional<EnvoyRecord> StateDirectory::envoy() const {
  const auto text = contents(record_file());
  if (!text) return std::nullopt;
  const json::value root = parsed(*text);
  const auto pid = integer_at(root, {"envoy", "pid"}, 0);
  const auto start_time = integer_at(root, {"envoy", "start_time"}, 0);
  if (pid <= 1 || start_time <= 0) return std::nullopt;
  return EnvoyRecord{.process = {static_cast<pid_t>(pid), static_cast<std::uint64_t>(start_time)},
                     .bootstrap_sha256 = text_at(root, {"envoy", "bootstrap_sha256"}),
                     .admin = text_at(root, {"envoy", "admin"})};
}

void StateDirectory::keep_bootstrap(const Bootstrap& bootstrap) const {
  replace(bootstrap_file(), bootstrap.text);
}

void StateDirectory::keep_envoy(const EnvoyRecord& record) const {
  const json::object envoy{{"pid", record.process.pid},
                           {"start_time", record.process.start_time},
                           {"bootstrap_sha256", record.bootstrap_sha256},
                           {"admin", record.admin}};
  replace(record_file(), json::serialize(json::object{{"envoy", envoy}}) + "\n");
}

void StateDirectory::forget_envoy() const { unlink(record_file().c_str()); }

std::string StateDirectory::keep_client_certificate(const std::string& certificate_file,
                                                    const std::string& key_file) const {
  const auto source = [](const std::string& file) { return json::object{{"filename", file}}; };
  const std::string folder = std::filesystem::path(certificate_file).parent_path().string();
  const json::object secret{
      {"@type", "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"},
      {"name", client_certificate_secret},
      {"tls_certificate", json::object{{"certificate_chain", source(certificate_file)},
                                       {"private_key", source(key_file)},
                                       {"watched_directory", json::object{{"path", folder}}}}}};
  const std::string file = std::filesystem::absolute(path_).string() + "/client_certificate.json";
  replace(file, json::serialize(json::object{{"resources", json::array{secret}}}) + "\n");
  return file;
}

void StateDirectory::trim_log() const {
  std::error_code failure;
  const auto size = std::filesystem::file_size(log_file(), failure);
  if (failure || size <= largest_log) return;
  std::filesystem::copy_file(log_file(), log_file() + ".1",
                             std::filesystem::copy_options::overwrite_existing, failure);
  if (truncate(log_file().c_str(), 0) != 0)
    log::warning("cannot shorten Envoy's log", {{"file", log_file()}});
}

void StateDirectory::replace(const std::string& file, std::string_view bytes) const {
  const std::string draft = file + ".new";
  unlink(draft.c_str());
  const int opened = open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (opened < 0) fail("cannot write " + draft);
  try {
    write_all(opened, bytes, draft);
    if (fsync(opened) != 0) fail("cannot write " + draft);
  } catch (...) {
    close(opened);
    throw;
  }
  close(opened);
  if (rename(draft.c_str(), file.c_str()) != 0) fail("cannot write " + file);
  const int directory = open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) fail("cannot open " + path_);
  const bool durable = fsync(directory) == 0;
  close(directory);
  if (!durable) fail("cannot write " + path_);
}

}  // namespace mp::agent
