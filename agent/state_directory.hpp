// The directory that lets an agent continue where another one was killed: the bootstrap, the record
// of the running Envoy, Envoy's log, and a lock so that one agent uses it at a time. Files are mode
// 0600 and replaced atomically. Makes no decisions.
#pragma once

#include "agent/bootstrap.hpp"
#include "agent/process_facts.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace mp::agent {

struct EnvoyRecord {
  ProcessId process;
  std::string bootstrap_sha256;  // of the bootstrap it was started from
  std::string admin;             // as Bootstrap::admin
};

// Another agent holds the lock. The text is one line for the operator.
struct DirectoryBusy : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class StateDirectory {
 public:
  // Makes the directory (mode 0700) when it is missing. Throws SettingsError when it cannot be used
  // or other users can write to it, and DirectoryBusy.
  explicit StateDirectory(std::string path);
  ~StateDirectory();
  StateDirectory(const StateDirectory&) = delete;
  StateDirectory& operator=(const StateDirectory&) = delete;

  std::string bootstrap_file() const { return path_ + "/bootstrap.json"; }
  std::string log_file() const { return path_ + "/envoy.log"; }

  // nullopt when there is none, or one that cannot be read.
  std::optional<Bootstrap> bootstrap() const;
  std::optional<EnvoyRecord> envoy() const;

  // Durable when they return (fsync). Throw std::system_error.
  void keep_bootstrap(const Bootstrap& bootstrap) const;
  void keep_envoy(const EnvoyRecord& record) const;
  void forget_envoy() const;

  // Makes Envoy's file of the secret that these two PEM files are, and returns its absolute name.
  // Envoy reads them anew when a file or a symbolic link beside the certificate is replaced by
  // another one (rename(2)).
  std::string keep_client_certificate(const std::string& certificate_file,
                                      const std::string& key_file) const;

  // Moves a log of more than 16 MiB to envoy.log.1 and empties it; Envoy appends and goes on.
  void trim_log() const;

 private:
  std::string record_file() const { return path_ + "/agent.json"; }
  void replace(const std::string& file, std::string_view bytes) const;

  std::string path_;
  int lock_ = -1;
};

}  // namespace mp::agent
