#include "cli/program.hpp"

#include "base/utf8.hpp"
#include "base/version.hpp"
#include "cli/commands.hpp"
#include "cli/failure.hpp"

#include <exception>

namespace mp::cli {
namespace {

void add_globals(CLI::App& root, Globals& globals) {
  root.add_option("--server", globals.server, "Address of the manager (that of the sign-in)")
      ->envname("MARCHPROXY_SERVER")
      ->type_name("URL");
  root.add_option("--token", globals.token, "API key or access token, instead of a sign-in")
      ->envname("MARCHPROXY_TOKEN")
      ->type_name("TEXT");
  root.add_option("--token-file", globals.token_file, "File that holds the token")
      ->type_name("FILE");
  root.add_option("--ca-file", globals.ca_file,
                  "PEM file of the authority that signed the manager's certificate")
      ->envname("MARCHPROXY_CA_FILE")
      ->type_name("FILE");
  root.add_option("--context", globals.context, "Kept sign-in to use (the current one)")
      ->envname("MARCHPROXY_CONTEXT")
      ->type_name("CONTEXT");
  root.add_option("-o,--output", globals.output,
                  "Form of the output (table); name prints names, or a secret, alone")
      ->type_name("table|json|yaml|wide|name")
      ->check([](const std::string& text) {
        const bool known = std::ranges::find(form_names, text) != form_names.end();
        return known ? std::string() : "must be table, json, yaml, wide or name";
      });
  root.add_option("--retry-for", globals.retry_for,
                  "Longest wait in all when a limit is reached or the server is busy (60)")
      ->type_name("SECONDS")
      ->check(CLI::Range(0, 86400));
}

int tell(const Failure& failure) {
  std::fprintf(stderr, "%s: %s\n", std::string(program_name).c_str(), failure.what());
  for (const auto& line : failure.lines) std::fprintf(stderr, "  %s\n", line.c_str());
  return static_cast<int>(failure.exit);
}

// The help of the command that --help was given to.
const CLI::App& deepest(const CLI::App& app) {
  const auto parsed = app.get_subcommands();
  return parsed.empty() ? app : deepest(*parsed.front());
}

std::string full_name(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return parent ? full_name(*parent) + " " + app.get_name() : app.get_name();
}

// What follows an unknown flag may be a secret: only the flag is named.
std::string unknown(const std::vector<std::string>& extras) {
  const auto flag =
      std::ranges::find_if(extras, [](const std::string& each) { return each.starts_with('-'); });
  if (flag == extras.end()) return "unexpected argument " + one_line(extras.front());
  return "unknown flag " + one_line(flag->substr(0, flag->find('=')));
}

Failure not_parsed(const CLI::App& root, const CLI::ParseError& error) {
  const std::string name = full_name(deepest(root));
  const auto extras = root.remaining(true);
  if (!extras.empty()) return {Exit::Usage, unknown(extras), {"see " + name + " --help"}};
  return {Exit::Usage, one_line(error.what()), {"see " + name + " --help"}};
}

Exit parse_and_run(CLI::App& root, Tool& tool, int count, const char* const* arguments) {
  try {
    root.parse(count, arguments);
  } catch (const CLI::CallForHelp&) {
    const CLI::App& meant = deepest(root);
    const CLI::App* parent = meant.get_parent();
    tool.console.print(meant.help(parent ? full_name(*parent) : ""));
    return Exit::Fine;
  } catch (const CLI::CallForVersion& call) {
    tool.console.print(std::string(call.what()) + "\n");
    return Exit::Fine;
  } catch (const CLI::ParseError& error) {
    throw not_parsed(root, error);
  }
  return tool.chosen();
}

}  // namespace

std::unique_ptr<CLI::App> make_program(Tool& tool) {
  auto root = std::make_unique<CLI::App>(
      "The command line of a MarchProxy manager, for people and pipelines.",
      std::string(program_name));
  root->fallthrough();
  root->require_subcommand(1);
  root->set_version_flag("--version", std::string(program_name) + " " + std::string(version));
  root->footer(
      "Every command takes the options above, and has a --help of its own. Exit codes: 0 done; 1 "
      "refused\nby the server, or not live; 2 wrong usage; 3 the server cannot be reached; 4 a "
      "plan would change something\n(--detailed-exitcode).");
  add_globals(*root, tool.globals);
  add_sign_in(*root, tool);
  add_reading(*root, tool);
  add_writing(*root, tool);
  add_files(*root, tool);
  add_planning(*root, tool);
  add_status(*root, tool);
  add_waiting(*root, tool);
  add_actions(*root, tool);
  add_keeping(*root, tool);
  add_fleet(*root, tool);
  add_explaining(*root, tool);
  return root;
}

Exit run(int count, const char* const* arguments) {
  try {
    Tool tool;
    const auto root = make_program(tool);
    return parse_and_run(*root, tool, count, arguments);
  } catch (const Failure& failure) {
    return static_cast<Exit>(tell(failure));
  } catch (const std::exception& fault) {
    return static_cast<Exit>(tell(Failure(Exit::Refused, one_line(fault.what()))));
  }
}

}  // namespace mp::cli
