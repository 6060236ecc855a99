// marchctl fleet simulate: runs marchproxy-fleet, which lies beside this program, with the flags as
// they were given, and where to connect when that was not said. Discovery is gRPC, and no other
// command should have to load that.
#include "cli/commands.hpp"
#include "cli/failure.hpp"
#include "cli/files.hpp"
#include "cli/xds_port.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace mp::cli {
namespace {

constexpr const char* simulator = "marchproxy-fleet";
constexpr const char* key_variable = "MARCHPROXY_CLUSTER_KEY";
constexpr std::string_view no_word{" \r\n\t\0", 5};

struct Flag {
  std::string_view name;
  const char* kind;
  const char* help;
};

constexpr std::array flags{
    Flag{"--xds", "HOST:PORT",
         "Address that proxies connect to; without it the manager is asked for that and for the "
         "certificates of its authority"},
    Flag{"--cluster-key-file", "FILE",
         "File that holds the cluster's key (MARCHPROXY_CLUSTER_KEY is the key itself)"},
    Flag{"--xds-ca-file", "FILE",
         "PEM file of the authority of that port's certificate (GET /certificates/ca); with --xds "
         "and without it the connection is not encrypted, as xds.tls=off needs it"},
    Flag{"--xds-server-name", "NAME", "Name in that certificate (xds.marchproxy.internal)"},
    Flag{"--xds-certificate-file", "FILE",
         "PEM file of the certificate that proxies show to that port (xds.client_ca)"},
    Flag{"--xds-key-file", "FILE", "PEM file of that certificate's key"},
    Flag{"--proxies", "NUMBER", "Proxies, each with a stream of its own (100)"},
    Flag{"--type", "egress|ingress", "What the proxies are (egress)"},
    Flag{"--variant", "delta|state-of-the-world", "Variant of the protocol (delta)"},
    Flag{"--node-prefix", "TEXT", "The proxies are called by it and a number from 1 on (fleet-)"},
    Flag{"--streams-per-connection", "NUMBER",
         "Streams that share a TCP connection (1, as with Envoy)"},
    Flag{"--ready-timeout", "SECONDS", "Longest time until all hold their configuration (120)"},
    Flag{"--duration", "SECONDS", "How long to watch changes after that (30)"},
    Flag{"--pause", "MILLISECONDS",
         "So long nothing comes between two changes that are told apart (200)"},
};

// The folder of this program; else the shell's path is searched.
std::string path_of_simulator() {
  std::error_code failed;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", failed);
  const auto beside = self.parent_path() / simulator;
  return !failed && std::filesystem::exists(beside, failed) ? beside.string() : simulator;
}

using Values = std::array<std::string, flags.size()>;

std::string& value_of(Values& values, std::string_view name) {
  const auto found = std::ranges::find(flags, name, &Flag::name);
  return values[static_cast<std::size_t>(found - flags.begin())];
}

// Where the simulator finds it as well: a file that is a pipe can be read once.
Secret cluster_key(Values& values) {
  std::string& file = value_of(values, "--cluster-key-file");
  const char* variable = std::getenv(key_variable);
  if (file.empty() && (variable == nullptr || *variable == '\0'))
    throw wrong_usage("--cluster-key-file, or the variable MARCHPROXY_CLUSTER_KEY, is required");
  Secret key = file.empty() ? Secret(variable) : secret_of_file(file);
  if (key.reveal().find_first_of(no_word) != std::string::npos)
    throw wrong_usage("the cluster's key must be one word");
  file.clear();
  ::setenv(key_variable, key.reveal().c_str(), 1);
  return key;
}

// The name of a file that only this process and what it becomes can read; it ends with them.
std::string file_in_memory(const std::string& text) {
  const int file = ::memfd_create("authority", 0);
  if (file < 0 || ::write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    throw Failure(Exit::Refused, std::string("no memory for a file: ") + std::strerror(errno));
  return "/proc/self/fd/" + std::to_string(file);
}

// Who gives these believes that the connection is encrypted.
void refuse_tls(Values& values) {
  for (const char* flag : {"--xds-ca-file", "--xds-certificate-file", "--xds-key-file"}) {
    if (!value_of(values, flag).empty())
      throw wrong_usage("the xDS port has no TLS: " + std::string(flag) + " is not for it");
  }
}

// What --xds would have said, and the flags that go with it.
void ask_manager(Tool& tool, Values& values, const Secret& key) {
  Client visitor = tool.visitor();
  const XdsPort port = find_xds_port(
      visitor, key,
      {value_of(values, "--xds-certificate-file"), value_of(values, "--xds-key-file")});
  value_of(values, "--xds") = port.address;
  if (port.trust == PortTrust::NoTls) return refuse_tls(values);
  std::string& authority = value_of(values, "--xds-ca-file");
  std::string& name = value_of(values, "--xds-server-name");
  if (port.trust == PortTrust::Own && authority.empty())
    authority = file_in_memory(authority_of(tool.client()));
  if (port.trust != PortTrust::Others) return;
  if (authority.empty())
    throw wrong_usage(
        "the xDS port has a certificate of another authority: --xds-ca-file is "
        "required");
  if (name.empty()) name = port.host();
}

Exit simulate(Tool& tool, Values values, bool reconnect) {
  const Form form = tool.form();
  if (form != Form::Table && form != Form::Json)
    throw wrong_usage("--output: fleet simulate knows table and json");
  if (value_of(values, "--xds-certificate-file").empty() !=
      value_of(values, "--xds-key-file").empty())
    throw wrong_usage("--xds-certificate-file and --xds-key-file belong together");
  const Secret key = cluster_key(values);
  if (value_of(values, "--xds").empty()) ask_manager(tool, values, key);
  std::vector<std::string> words{path_of_simulator()};
  for (std::size_t n = 0; n < flags.size(); ++n) {
    if (!values[n].empty()) words.insert(words.end(), {std::string(flags[n].name), values[n]});
  }
  words.insert(words.end(), {"--output", form == Form::Json ? "json" : "table"});
  if (reconnect) words.emplace_back("--reconnect");
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  ::execvp(arguments.front(), arguments.data());
  throw Failure(Exit::Refused, std::string(simulator) + " cannot be run", {std::strerror(errno)});
}

}  // namespace

void add_fleet(CLI::App& root, Tool& tool) {
  CLI::App& fleet = add_command(root, "fleet", "Try out how many proxies an installation carries.");
  fleet.require_subcommand(1)->group("Fleet");
  CLI::App& command = add_command(
      fleet, "simulate",
      "Open the streams of many proxies against a manager and do what Envoy does on them. Tells "
      "how "
      "long it takes until all are ready, and for every change that comes how many proxies it "
      "concerned, how long until half of them, 99 of 100 and all had acknowledged it, and the "
      "bytes; with -o json an object a line. The proxies register by connecting and stay "
      "registered: use a manager or a cluster made for this. Exit code 1 when one was not served.",
      {"fleet simulate --proxies 5000",
       "fleet simulate --cluster-key-file key --proxies 100 --reconnect",
       "fleet simulate --xds manager:18000 --cluster-key-file key --xds-ca-file ca.pem"});
  auto values = std::make_shared<Values>();
  for (std::size_t n = 0; n < flags.size(); ++n) {
    command.add_option(std::string(flags[n].name), (*values)[n], flags[n].help)
        ->type_name(flags[n].kind);
  }
  auto reconnect = std::make_shared<bool>(false);
  command.add_flag("--reconnect", *reconnect,
                   "At the end let all reconnect with what they hold, and tell what came again");
  command.callback([&tool, values, reconnect] {
    tool.chosen = [&tool, values, reconnect] { return simulate(tool, *values, *reconnect); };
  });
}

}  // namespace mp::cli
