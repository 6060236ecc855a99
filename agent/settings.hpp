// What the agent was told by flags and MARCHPROXY_AGENT_ variables, checked. Read once by main.cpp
// and passed down by reference. Nothing else in the agent reads the command line or the
// environment.
#pragma once

#include "base/log.hpp"

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>

namespace mp::agent {

inline constexpr std::string_view version = "v1.0.0";

enum class EnvoyLog { File, Stderr };

struct Settings {
  std::string manager;  // http(s)://host[:port][/path], without a slash at the end
  std::string cluster_key_file;
  std::string type;   // egress or ingress
  std::string envoy;  // absolute path of an executable
  std::string hostname;
  std::string listen_address = "0.0.0.0";
  std::uint16_t admin_port = 9901;  // 0: Envoy gets no admin interface
  std::string state_dir;
  std::string name;
  std::string ca_file;               // empty: the system's authorities
  std::string xds_ca_file;           // empty: as the manager says; this and the next absolute
  std::string xds_certificate_file;  // empty: Envoy shows none to the manager
  std::string xds_key_file;
  std::chrono::seconds drain_time{10};  // 0..3600
  EnvoyLog envoy_log = EnvoyLog::File;
  log::Level log_level = log::Level::Info;
  log::Format log_format = log::Format::Text;
};

// A setting is missing, unknown or wrong. The text is one line for the operator; the exit code
// is 2.
struct SettingsError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Text for standard output (help, version, completion); the program then ends with 0.
struct Print {
  std::string text;
};

using Command = std::variant<Settings, Print>;

// Reads the command line (argv[0] is the program) and the process's environment; flags win over
// variables, an empty variable counts as unset. Throws SettingsError.
Command read_command(int argc, const char* const* argv);

}  // namespace mp::agent
