// marchctl wait.
#include "cli/commands.hpp"
#include "cli/failure.hpp"
#include "cli/look.hpp"
#include "cli/names.hpp"
#include "cli/written.hpp"
#include "model/cluster.hpp"

namespace mp::cli {
namespace {

struct Given {
  std::int64_t revision = 0;
  std::string cluster;
  std::int64_t timeout = 60;
};

// The change that is meant: the one named, the last one made here, or the newest of the cluster.
std::int64_t revision_of(Tool& tool, const Given& given) {
  if (given.revision > 0) return given.revision;
  Client& client = tool.client();
  if (given.cluster.empty() && tool.globals.token.empty()) {
    const auto context = tool.context();
    if (context && context->server == client.account().server && context->last_revision > 0)
      return context->last_revision;
  }
  const Resource& clusters = resource_of(describe<Cluster>);
  std::string id;
  if (!given.cluster.empty()) {
    id = find_id(client, clusters, given.cluster);
  } else {
    const auto listed = list_objects(client, clusters, {}, 2).objects;
    if (listed.size() != 1) throw wrong_usage("several clusters: name one with --cluster");
    id = std::to_string(number_at(listed.front(), "id"));
  }
  return number_at(client.get(path_of(clusters, id) + "/status").data, "revision");
}

Exit wait(Tool& tool, const Given& given) {
  const std::int64_t revision = revision_of(tool, given);
  if (revision == 0) {
    tool.console.note("nothing was changed yet");
    return Exit::Fine;
  }
  return await_revision(tool, revision, std::chrono::seconds(given.timeout));
}

}  // namespace

void add_waiting(CLI::App& root, Tool& tool) {
  CLI::App& command = add_command(
      root, "wait",
      "Wait until every connected proxy concerned holds a change: the last one made from this "
      "sign-in, unless another is named. Exit code 1 when it is refused or the time is over.",
      {"wait", "wait --timeout 120", "wait --revision 42", "wait --cluster production"});
  command.group("Fleet");
  auto given = std::make_shared<Given>();
  command
      .add_option("--revision", given->revision, "The change; writes tell it in X-Config-Revision")
      ->type_name("NUMBER")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 60));
  command
      .add_option("--cluster", given->cluster, "The newest change that this cluster's proxies got")
      ->type_name("CLUSTER");
  command.add_option("--timeout", given->timeout, "Longest wait (60)")
      ->type_name("SECONDS")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{86400}));
  command.callback([&tool, given] { tool.chosen = [&tool, given] { return wait(tool, *given); }; });
}

}  // namespace mp::cli
