// marchctl keep-certificate service: files of a service's client certificate that stay good.
#include "base/execute.hpp"
#include "cli/certificate_keeper.hpp"
#include "cli/commands.hpp"
#include "cli/look.hpp"
#include "cli/names.hpp"
#include "model/service.hpp"
#include "model/service_certificate.hpp"

#include <boost/json.hpp>

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

namespace mp::cli {
namespace {

constexpr std::chrono::minutes longest_program{1};

struct Given {
  std::string service;
  std::string cluster;
  std::string directory;
  std::string program;
  std::int64_t ttl = ServiceCertificateRequest{}.ttl;
  bool once = false;
};

NewCertificate issue(Client& client, const Given& given) {
  const Resource& services = resource_of(describe<Service>);
  const std::string id = find_id(client, services, given.service, given.cluster);
  const Answer answer = client.call({.method = "POST",
                                     .path = path_of(services, id) + "/certificate",
                                     .body = boost::json::object{{"ttl", given.ttl}}});
  NewCertificate issued{.ttl = std::chrono::seconds(given.ttl),
                        .files = {.certificate = text_at(answer.data, "certificate"),
                                  .key = Secret(text_at(answer.data, "private_key")),
                                  .authorities = text_at(answer.data, "ca")}};
  const auto until = parse_time(text_at(answer.data, "expires_at"));
  const auto& files = issued.files;
  if (!until || files.certificate.empty() || files.key.empty() || files.authorities.empty())
    throw Failure(Exit::Unreachable,
                  client.account().server + " answered without a certificate and its key");
  issued.until = *until;
  return issued;
}

std::function<std::string()> program(const Given& given, const std::string& folder) {
  if (given.program.empty()) return {};
  return [command = std::vector{given.program, folder}] {
    const std::atomic<bool> stopping = false;  // signals end this program at once
    return execute(command, longest_program, stopping);
  };
}

// The folder is whole at every moment, so that nothing is left to be done.
extern "C" void end_at_once(int) { ::_exit(0); }

void end_at_signals() {
  for (const int signal : {SIGTERM, SIGINT}) std::signal(signal, end_at_once);
}

Exit keep(Tool& tool, const Given& given) {
  Client& client = tool.client();
  CertificateFolder folder(given.directory);
  const Keeping keeping{
      .clock = tool.clock,
      .issue = [&] { return issue(client, given); },
      .pause = [](std::chrono::milliseconds time) { std::this_thread::sleep_for(time); },
      .note = [&](const std::string& line) { tool.console.note("marchctl: " + line); },
      .tell = program(given, folder.path().string())};
  const std::string purpose = given.service + " of " + given.cluster + " at " +
                              client.account().server + " for " + std::to_string(given.ttl);
  CertificateKeeper keeper(keeping, folder, purpose);
  if (given.once) {
    keeper.renew_when_due();
    return Exit::Fine;
  }
  end_at_signals();
  keeper.run();
}

void add_options(CLI::App& command, Given& given) {
  const Field& ttl = *find_field(describe<ServiceCertificateRequest>, "ttl");
  command.add_option("SERVICE", given.service, "Name or id.")->required()->type_name("");
  command.add_option("--cluster", given.cluster, "Cluster of the name")->type_name("CLUSTER");
  command.add_option("--directory", given.directory, "Where the files are; it is made")
      ->required()
      ->type_name("FOLDER");
  command.add_option("--ttl", given.ttl, "Seconds that each certificate is good for (86400)")
      ->type_name("SECONDS")
      ->check(CLI::Range(ttl.rules.min, ttl.rules.max));
  command
      .add_option("--exec", given.program,
                  "Program that is run after each renewal, with the folder as its argument: it "
                  "may have a server load the files")
      ->type_name("FILE");
  command.add_flag("--once", given.once, "Renew when it is time, and end; for a timer");
}

}  // namespace

void add_keeping(CLI::App& root, Tool& tool) {
  constexpr std::string_view help =
      "Keep a client certificate of a service, its key and the manager's authorities as "
      "certificate.pem, key.pem and ca.pem in a folder, and renew them when two thirds of the "
      "certificate's life are over, until SIGTERM. While the manager is away the files stay, and "
      "it is asked again.";
  CLI::App& group = add_command(root, "keep-certificate", help);
  group.require_subcommand(1)->group("Actions");
  CLI::App& command =
      add_command(group, "service", help,
                  {"keep-certificate service web --directory /etc/web/tls",
                   "keep-certificate service web --directory tls --ttl 3600 --once"});
  auto given = std::make_shared<Given>();
  add_options(command, *given);
  command.callback([&tool, given] { tool.chosen = [&tool, given] { return keep(tool, *given); }; });
}

}  // namespace mp::cli
