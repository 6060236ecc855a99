#include "agent/settings.hpp"

#include "settings/completion.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <set>

namespace mp::agent {
namespace {

constexpr std::string_view variable_prefix = "MARCHPROXY_AGENT_";
constexpr std::string_view program = "marchproxy-agent";

// What the flags say, before it is checked and given its type.
struct Draft {
  Settings settings;
  int admin_port = 9901;
  int drain_time = 10;
  std::string envoy_log = "file";
  std::string log_level = "info";
  std::string log_format = "text";
  std::string shell;
};

// "--cluster-key-file" is MARCHPROXY_AGENT_CLUSTER_KEY_FILE.
std::string variable_of(std::string_view flag) {
  std::string name(variable_prefix);
  for (const char letter : flag.substr(2)) {
    name += letter == '-' ? '_' : static_cast<char>(std::toupper(letter));
  }
  return name;
}

template <class Value>
CLI::Option* option(CLI::App& app, const std::string& flag, Value& value, const std::string& help) {
  return app.add_option(flag, value, help)->envname(variable_of(flag));
}

using Choices = std::vector<std::string>;

void choice(CLI::App& app, const std::string& flag, std::string& value, const Choices& choices,
            const std::string& help) {
  std::string hint;
  for (const auto& one : choices) hint.append(hint.empty() ? "" : "|").append(one);
  auto* made = option(app, flag, value, help)->type_name(hint);
  made->check([choices, hint](const std::string& given) {
    return std::ranges::find(choices, given) == choices.end() ? "must be one of " + hint : "";
  });
}

// Files that Envoy reads itself.
void declare_xds(CLI::App& run, Settings& settings) {
  option(run, "--xds-ca-file", settings.xds_ca_file,
         "PEM file of the authority that signed the xDS port's certificate (xds.tls files)")
      ->type_name("FILE");
  option(run, "--xds-certificate-file", settings.xds_certificate_file,
         "PEM file of the certificate that Envoy shows to the xDS port (xds.client_ca)")
      ->type_name("FILE");
  option(run, "--xds-key-file", settings.xds_key_file, "PEM file of that certificate's key")
      ->type_name("FILE");
}

void declare_run(CLI::App& run, Draft& draft) {
  Settings& settings = draft.settings;
  option(run, "--manager", settings.manager, "Address of the manager's REST API")->type_name("URL");
  option(run, "--cluster-key-file", settings.cluster_key_file, "File that holds the cluster key")
      ->type_name("FILE");
  choice(run, "--type", settings.type, {"egress", "ingress"}, "What the proxy does");
  option(run, "--envoy", settings.envoy,
         "Envoy's executable; looked up in PATH when it has no slash (envoy)")
      ->type_name("FILE");
  option(run, "--hostname", settings.hostname, "Host name to register under (this machine's)")
      ->type_name("NAME");
  option(run, "--name", settings.name, "Name to show beside the host name")->type_name("NAME");
  option(run, "--listen-address", settings.listen_address,
         "IP address the proxy's listeners bind to (0.0.0.0)")
      ->type_name("ADDRESS");
  option(run, "--admin-port", draft.admin_port,
         "Port of Envoy's admin interface on 127.0.0.1; 0 for none (9901)")
      ->type_name("PORT")
      ->check(CLI::Range(0, 65535));
  option(run, "--state-dir", settings.state_dir, "Directory for the bootstrap and Envoy's log")
      ->type_name("DIR");
  option(run, "--ca-file", settings.ca_file,
         "PEM file of the authority that signed the manager's certificate")
      ->type_name("FILE");
  declare_xds(run, settings);
  option(run, "--drain-time", draft.drain_time,
         "Longest wait for open connections before a stop, seconds (10)")
      ->type_name("SECONDS")
      ->check(CLI::Range(0, 3600));
  choice(run, "--envoy-log", draft.envoy_log, {"file", "stderr"},
         "Where Envoy's log goes (file, in the state directory)");
  choice(run, "--log-level", draft.log_level, {"debug", "info", "warning", "error"},
         "Least level that is logged (info)");
  choice(run, "--log-format", draft.log_format, {"text", "json"}, "Form of the agent's log (text)");
}

void refuse_unknown_variables(const CLI::App& run) {
  std::set<std::string, std::less<>> known;
  for (const CLI::Option* each : run.get_options()) known.insert(each->get_envname());
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const auto name = text.substr(0, text.find('='));
    if (name.starts_with(variable_prefix) && !known.contains(name)) {
      throw SettingsError("unknown environment variable " + std::string(name));
    }
  }
}

void require(const std::string& value, const std::string& flag) {
  if (value.empty()) throw SettingsError(flag + " (or " + variable_of(flag) + ") is required");
}

void check_manager(std::string& manager) {
  while (manager.ends_with('/')) manager.pop_back();
  const auto url = boost::urls::parse_uri(manager);
  const bool sound = url && (url->scheme() == "http" || url->scheme() == "https") &&
                     !url->host().empty() && !url->has_userinfo() && !url->has_query() &&
                     !url->has_fragment();
  if (!sound) throw SettingsError("--manager: must look like https://host:8000");
}

void check_address(const std::string& address) {
  std::array<unsigned char, sizeof(in6_addr)> parsed{};
  if (inet_pton(AF_INET, address.c_str(), parsed.data()) != 1 &&
      inet_pton(AF_INET6, address.c_str(), parsed.data()) != 1) {
    throw SettingsError("--listen-address: must be an IPv4 or IPv6 address");
  }
}

void check_readable(const std::string& file, const std::string& flag) {
  std::error_code failure;
  if (!std::filesystem::is_regular_file(file, failure) || access(file.c_str(), R_OK) != 0) {
    throw SettingsError(flag + ": cannot read the file " + file);
  }
}

// Envoy may run elsewhere.
void make_absolute(std::string& file, const std::string& flag) {
  if (file.empty()) return;
  check_readable(file, flag);
  file = std::filesystem::absolute(file).lexically_normal().string();
}

void check_xds_files(Settings& settings) {
  make_absolute(settings.xds_ca_file, "--xds-ca-file");
  make_absolute(settings.xds_certificate_file, "--xds-certificate-file");
  make_absolute(settings.xds_key_file, "--xds-key-file");
  if (settings.xds_certificate_file.empty() != settings.xds_key_file.empty()) {
    throw SettingsError("--xds-certificate-file and --xds-key-file belong together");
  }
}

bool is_program(const std::filesystem::path& file) {
  std::error_code failure;
  return std::filesystem::is_regular_file(file, failure) && access(file.c_str(), X_OK) == 0;
}

std::string find_envoy(const std::string& given) {
  if (given.find('/') != std::string::npos) {
    if (is_program(given)) return std::filesystem::absolute(given).string();
    throw SettingsError("--envoy: " + given + " is not an executable file");
  }
  const char* variable = std::getenv("PATH");
  std::string_view rest = variable == nullptr ? "/usr/local/bin:/usr/bin:/bin" : variable;
  while (!rest.empty()) {
    const auto end = std::min(rest.find(':'), rest.size());
    const auto file = std::filesystem::path(rest.substr(0, end)) / given;
    if (end > 0 && is_program(file)) return std::filesystem::absolute(file).string();
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  throw SettingsError("--envoy: no executable " + given + " in PATH");
}

std::string this_host() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') {
    throw SettingsError("--hostname: this machine has no name, give one");
  }
  return name.data();
}

std::string default_state_dir() {
  if (geteuid() == 0) return "/var/lib/marchproxy-agent";
  if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && state[0] == '/') {
    return std::string(state) + "/marchproxy-agent";
  }
  if (const char* home = std::getenv("HOME"); home != nullptr && home[0] == '/') {
    return std::string(home) + "/.local/state/marchproxy-agent";
  }
  throw SettingsError("--state-dir: no home directory, give one");
}

log::Level level_of(std::string_view name) {
  if (name == "debug") return log::Level::Debug;
  if (name == "warning") return log::Level::Warning;
  return name == "error" ? log::Level::Error : log::Level::Info;
}

Settings checked(const Draft& draft) {
  Settings settings = draft.settings;
  require(settings.manager, "--manager");
  require(settings.cluster_key_file, "--cluster-key-file");
  require(settings.type, "--type");
  check_manager(settings.manager);
  check_address(settings.listen_address);
  check_readable(settings.cluster_key_file, "--cluster-key-file");
  if (!settings.ca_file.empty()) check_readable(settings.ca_file, "--ca-file");
  check_xds_files(settings);
  settings.envoy = find_envoy(settings.envoy.empty() ? "envoy" : settings.envoy);
  if (settings.hostname.empty()) settings.hostname = this_host();
  if (settings.state_dir.empty()) settings.state_dir = default_state_dir();
  settings.state_dir = std::filesystem::absolute(settings.state_dir).lexically_normal().string();
  settings.admin_port = static_cast<std::uint16_t>(draft.admin_port);
  settings.drain_time = std::chrono::seconds(draft.drain_time);
  settings.envoy_log = draft.envoy_log == "file" ? EnvoyLog::File : EnvoyLog::Stderr;
  settings.log_level = level_of(draft.log_level);
  settings.log_format = draft.log_format == "json" ? log::Format::Json : log::Format::Text;
  return settings;
}

std::string one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return text;
}

}  // namespace

Command read_command(int argc, const char* const* argv) {
  Draft draft;
  CLI::App app(
      "Registers this machine's Envoy with a MarchProxy manager, runs it and reports on it.",
      std::string(program));
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string(program) + " " + std::string(version));
  CLI::App& run = *app.add_subcommand("run", "Register, run Envoy, send heartbeats until SIGTERM");
  declare_run(run, draft);
  CLI::App& completion = *app.add_subcommand("completion", "Print a completion script for a shell");
  completion.add_option("shell", draft.shell, "bash, zsh or fish")
      ->required()
      ->type_name(std::string(completion_shells))
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return Print{app.help()};
  } catch (const CLI::CallForVersion& call) {
    return Print{std::string(call.what()) + "\n"};
  } catch (const CLI::ParseError& error) {
    throw SettingsError(one_line(error.what()));
  }
  if (completion.parsed()) return Print{mp::completion_script(draft.shell, app)};
  refuse_unknown_variables(run);
  return checked(draft);
}

}  // namespace mp::agent
