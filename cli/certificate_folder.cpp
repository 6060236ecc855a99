#include "cli/certificate_folder.hpp"

#include "base/outside.hpp"
#include "cli/files.hpp"
#include "cli/look.hpp"
#include "cli/whole_files.hpp"

#include <boost/json.hpp>

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

namespace mp::cli {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

constexpr const char* current = "current";  // a link to the newest set
constexpr const char* record = "kept.json";
constexpr const char* told_mark = "told";
constexpr std::string_view set_prefix = ".set-";
constexpr std::array names{"certificate.pem", "key.pem", "ca.pem"};

// Links are ours; a file in their place is somebody's certificate.
void refuse_files_of_others(const fs::path& folder) {
  for (const char* name : {current, names[0], names[1], names[2]}) {
    std::error_code failure;
    const auto type = fs::symlink_status(folder / name, failure).type();
    if (type != fs::file_type::symlink && type != fs::file_type::not_found)
      throw broken(folder / name, "is in the way, and is not a link: move it away");
  }
}

fs::path made(fs::path folder) {
  std::error_code failure;
  folder = fs::absolute(folder, failure).lexically_normal();
  if (!failure) fs::create_directories(folder, failure);
  if (failure) throw broken(folder, failure.message());
  refuse_files_of_others(folder);
  return folder;
}

void flush(const fs::path& folder) {
  const Descriptor open(folder, O_RDONLY | O_DIRECTORY);
  if (::fsync(open.number()) != 0) throw broken(folder);
}

void write_set(const fs::path& set, const KeptCertificate& kept, const CertificateFiles& files) {
  if (::mkdir(set.c_str(), 0755) != 0) throw broken(set);
  write_new(set / names[0], files.certificate, 0644);
  write_new(set / names[1], files.key.reveal(), 0600);
  write_new(set / names[2], files.authorities, 0644);
  const json::object about{{"purpose", kept.purpose},
                           {"since", to_string(kept.since)},
                           {"until", to_string(kept.until)},
                           {"ttl", kept.ttl.count()}};
  write_new(set / record, json::serialize(about) + "\n", 0644);
  flush(set);
}

}  // namespace

CertificateFolder::CertificateFolder(fs::path folder) : folder_(made(std::move(folder))) {
  const fs::path file = folder_ / ".lock";
  lock_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_ < 0) throw broken(file);
  if (::flock(lock_, LOCK_EX | LOCK_NB) == 0) return;
  ::close(lock_);
  throw broken(folder_, "another marchctl keeps this folder");
}

CertificateFolder::~CertificateFolder() { ::close(lock_); }

std::optional<KeptCertificate> CertificateFolder::kept() const {
  std::error_code failure;
  const fs::path file = folder_ / current / record;
  if (!fs::exists(file, failure)) return std::nullopt;
  json::error_code wrong;
  const json::value about = json::parse(text_of_file(file.string()), wrong);
  if (wrong) return std::nullopt;
  const auto since = parse_time(text_at(about, "since"));
  const auto until = parse_time(text_at(about, "until"));
  const std::chrono::seconds ttl{number_at(about, "ttl")};
  if (!since || !until || ttl <= ttl.zero()) return std::nullopt;
  return KeptCertificate{text_at(about, "purpose"), *since, *until, ttl};
}

void CertificateFolder::keep(const KeptCertificate& kept, const CertificateFiles& files) {
  refuse_files_of_others(folder_);
  std::error_code none;
  const std::string before = fs::read_symlink(folder_ / current, none).string();
  const std::string newest = std::string(set_prefix) + random_text(12);
  try {
    write_set(folder_ / newest, kept, files);
    for (const char* name : names) {
      const fs::path target = fs::path(current) / name;
      if (fs::read_symlink(folder_ / name, none) != target) replace_by_link(folder_ / name, target);
    }
    replace_by_link(folder_ / current, newest);
    flush(folder_);
  } catch (...) {
    if (fs::read_symlink(folder_ / current, none) != newest) fs::remove_all(folder_ / newest, none);
    throw;
  }
  remove_all_but(newest, before);
}

bool CertificateFolder::told() const {
  std::error_code failure;
  return fs::exists(folder_ / current / told_mark, failure);
}

void CertificateFolder::set_told() { write_new(folder_ / current / told_mark, "", 0644); }

// Somebody may be reading the set before.
void CertificateFolder::remove_all_but(const std::string& newest, const std::string& before) const {
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(folder_, failure)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(set_prefix) && name != newest && name != before)
      fs::remove_all(entry.path(), failure);
  }
}

}  // namespace mp::cli
