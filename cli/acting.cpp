// The actions of the table in resource.cpp.
#include "base/utf8.hpp"
#include "cli/commands.hpp"
#include "cli/flags.hpp"
#include "cli/look.hpp"
#include "cli/names.hpp"
#include "cli/written.hpp"

#include <boost/json.hpp>

namespace mp::cli {
namespace {

struct Given {
  std::unique_ptr<FieldFlags> flags;
  std::string reference;
  std::string cluster;
  std::int64_t wait = 0;
};

std::string path_of_action(Client& client, const Action& action, const Given& given) {
  if (!action.noun) return std::string(action.path);
  const Resource& resource = resource_of(*action.noun);
  const std::string id = find_id(client, resource, given.reference, given.cluster);
  return path_of(resource, id) + std::string(action.path);
}

Exit act(Tool& tool, const Action& action, const Given& given) {
  Client& client = tool.client();
  Request request{.method = std::string(action.method),
                  .path = path_of_action(client, action, given),
                  .wait = given.wait};
  if (given.flags) {
    boost::json::object body = given.flags->body(tool.console);
    resolve_references(client, *action.body, body);
    request.body = std::move(body);
  }
  const Answer answer = client.call(std::move(request));
  tool.remember(answer.revision);
  if (action.answer) {
    const auto& object = object_at(answer.data, "");
    show_object(tool.console, tool.form(), *action.answer, object);
    if (!secrets_of(*action.answer, object, Occasion::Reading).empty() && tool.form() != Form::Name)
      tool.console.note("The secret is shown this once: keep it now.");
  } else {
    say(tool, one_line(answer.message));
  }
  return report_live(tool, answer, given.wait);
}

// Several nouns may have an action of one name.
CLI::App& group_of(CLI::App& root, const Action& action) {
  const auto same = [&](const CLI::App* each) { return each->get_name() == action.name; };
  const auto found = root.get_subcommands(same);
  if (!found.empty()) {
    found.front()->description(found.front()->get_description() + " " + std::string(action.help));
    return *found.front();
  }
  CLI::App& group = add_command(root, action.name, action.help);
  group.require_subcommand(1)->group("Actions");
  return group;
}

void add_action(CLI::App& root, Tool& tool, const Action& action) {
  CLI::App* command = nullptr;
  auto given = std::make_shared<Given>();
  if (action.noun) {
    const Resource& resource = resource_of(*action.noun);
    const std::string noun = resource.file_kind();
    CLI::App& group = group_of(root, action);
    const std::string example =
        std::string(action.name) + " " + noun + " " + std::string(action.example);
    command = &add_command(group, noun, action.help, {example});
    command->add_option(resource.placeholder(), given->reference, "Name or id.")
        ->required()
        ->type_name("");
    if (resource.in_clusters())
      command->add_option("--cluster", given->cluster, "Cluster of the name")->type_name("CLUSTER");
  } else {
    const std::string example = std::string(action.name) + " " + std::string(action.example);
    command = &add_command(root, action.name, action.help, {example});
    command->group(action.path.starts_with("/auth/") ? "Signing in" : "Actions");
  }
  if (action.body)
    given->flags = std::make_unique<FieldFlags>(*command, *action.body, Purpose::Create);
  if (action.method != "GET" && !action.path.starts_with("/auth/"))
    add_wait_option(*command, given->wait);
  command->callback([&tool, &action, given] {
    tool.chosen = [&tool, &action, given] { return act(tool, action, *given); };
  });
}

}  // namespace

void add_actions(CLI::App& root, Tool& tool) {
  for (const Action& action : all_actions()) add_action(root, tool, action);
}

}  // namespace mp::cli
