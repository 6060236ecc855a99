// marchctl fleet simulate: runs marchproxy-fleet, which lies beside this program, with the flags as
// they were given. Discovery is gRPC, and no other command should have to load that.
#include "cli/commands.hpp"
#include "cli/failure.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace mp::cli {
namespace {

constexpr const char* simulator = "marchproxy-fleet";

struct Flag {
  const char* name;
  const char* kind;
  const char* help;
};

constexpr std::array flags{
    Flag{"--xds", "HOST:PORT", "Address that proxies connect to: xds.listen, or xds.advertise"},
    Flag{"--cluster-key-file", "FILE", "File that holds the cluster's key"},
    Flag{"--xds-ca-file", "FILE",
         "PEM file of the authority of that port's certificate (GET /certificates/ca); without it "
         "the connection is not encrypted, as xds.tls=off needs it"},
    Flag{"--xds-server-name", "NAME", "Name in that certificate (xds.marchproxy.internal)"},
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

Exit simulate(Tool& tool, const Values& values, bool reconnect) {
  const Form form = tool.form();
  if (form != Form::Table && form != Form::Json)
    throw wrong_usage("--output: fleet simulate knows table and json");
  std::vector<std::string> words{path_of_simulator()};
  for (std::size_t n = 0; n < flags.size(); ++n) {
    if (!values[n].empty()) words.insert(words.end(), {flags[n].name, values[n]});
  }
  words.insert(words.end(), {"--output", form == Form::Json ? "json" : "table"});
  if (reconnect) words.emplace_back("--reconnect");
  std::vector<char*> arguments;
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
      {"fleet simulate --xds 127.0.0.1:18000 --cluster-key-file key --xds-ca-file ca.pem",
       "fleet simulate --xds manager:18000 --cluster-key-file key --proxies 5000 --reconnect"});
  auto values = std::make_shared<Values>();
  for (std::size_t n = 0; n < flags.size(); ++n) {
    auto* option = command.add_option(flags[n].name, (*values)[n], flags[n].help);
    option->type_name(flags[n].kind);
    if (n < 2) option->required();
  }
  auto reconnect = std::make_shared<bool>(false);
  command.add_flag("--reconnect", *reconnect,
                   "At the end let all reconnect with what they hold, and tell what came again");
  command.callback([&tool, values, reconnect] {
    tool.chosen = [&tool, values, reconnect] { return simulate(tool, *values, *reconnect); };
  });
}

}  // namespace mp::cli
