#include "settings/command.hpp"

#include "base/utf8.hpp"
#include "settings/file.hpp"
#include "settings/option.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>

namespace mp {
namespace {

struct Flags {
  std::string config;
  std::vector<std::pair<Option, std::string>> values;
};

Flags make_flags() {
  Flags flags;
  for (Option& option : all_options()) flags.values.emplace_back(std::move(option), std::string());
  return flags;
}

void declare(CLI::App& serve, Flags& flags) {
  serve
      .add_option("--config", flags.config,
                  "YAML file of settings (or " + std::string(config_variable) + ")")
      ->type_name("FILE");
  for (auto& [option, text] : flags.values) {
    std::string help(option.field->help);
    if (!option.fallback.empty()) help += " (" + option.fallback + ")";
    serve.add_option(option.flag, text, help)->type_name(option.hint);
  }
}

Error unexpected(std::string_view text) { return {Code::Validation, one_line(text)}; }

// What follows an unknown flag may be a secret: only the flag is named.
Error unknown_argument(const std::vector<std::string>& extras) {
  const auto flag =
      std::ranges::find_if(extras, [](const std::string& each) { return each.starts_with('-'); });
  if (flag == extras.end()) return unexpected("unexpected argument " + extras.front());
  return unexpected("unknown flag " + flag->substr(0, flag->find('=')));
}

void parse(CLI::App& app, const std::vector<std::string>& arguments) {
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ExtrasError&) {
    const auto extras = app.remaining(true);
    throw extras.empty() ? unexpected("unexpected argument") : unknown_argument(extras);
  } catch (const CLI::RequiredError& error) {  // no subcommand, or none that there is
    const auto extras = app.remaining(true);
    throw extras.empty() ? unexpected(error.what()) : unknown_argument(extras);
  } catch (const CLI::ParseError& error) {
    if (dynamic_cast<const CLI::Success*>(&error)) throw;
    throw unexpected(error.what());
  }
}

const std::string* find_variable(const Environment& environment, std::string_view name) {
  const auto found =
      std::ranges::find_if(environment, [&](const auto& each) { return each.first == name; });
  return found == environment.end() || found->second.empty() ? nullptr : &found->second;
}

// Variables that other programs of ours read: the agent, the tests, marchctl.
bool of_another_program(std::string_view name) {
  static constexpr std::array<std::string_view, 4> of_marchctl{
      "MARCHPROXY_SERVER", "MARCHPROXY_TOKEN", "MARCHPROXY_CA_FILE", "MARCHPROXY_CONTEXT"};
  return name.starts_with("MARCHPROXY_AGENT_") || name.starts_with("MARCHPROXY_TEST_") ||
         std::ranges::find(of_marchctl, name) != of_marchctl.end();
}

void read_environment(const Environment& environment, GivenValues& given) {
  const auto options = all_options();
  for (const auto& [name, value] : environment) {
    if (!name.starts_with(variable_prefix) || name == config_variable || of_another_program(name))
      continue;
    const auto option = std::ranges::find(options, name, &Option::variable);
    if (option == options.end()) throw wrong_setting(name, "unknown environment variable", "");
    if (!value.empty()) given[option->name] = {value, "environment variable " + name};
  }
}

std::string default_data_dir(const Environment& environment) {
  if (::geteuid() == 0) return "/var/lib/marchproxy";
  const std::string* data = find_variable(environment, "XDG_DATA_HOME");
  if (data && data->starts_with('/')) return *data + "/marchproxy";
  const std::string* home = find_variable(environment, "HOME");
  if (home && home->starts_with('/')) return *home + "/.local/share/marchproxy";
  throw wrong_setting("data_dir", "must be set, there is no home directory", "");
}

Settings resolve(const CLI::App& serve, const Flags& flags, const Environment& environment) {
  GivenValues given;
  const std::string* from_variable = find_variable(environment, config_variable);
  const std::string config = !flags.config.empty() ? flags.config
                             : from_variable       ? *from_variable
                                                   : "";
  if (!config.empty()) read_settings_file(config, given);
  read_environment(environment, given);
  for (const auto& [option, text] : flags.values) {
    if (serve.count(option.flag) > 0) given[option.name] = {text, "flag " + option.flag};
  }
  Settings settings = settings_of(given);
  if (settings.data_dir.empty()) settings.data_dir = default_data_dir(environment);
  settings.data_dir = std::filesystem::absolute(settings.data_dir).lexically_normal().string();
  return settings;
}

SettingsForm form_of(const std::string& name) {
  if (name == "json") return SettingsForm::Json;
  return name == "markdown" ? SettingsForm::Markdown : SettingsForm::Table;
}

}  // namespace

Environment process_environment() {
  Environment environment;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    environment.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

std::variant<Settings, Print> read_command(const Program& program,
                                           const std::vector<std::string>& arguments,
                                           const Environment& environment) {
  Flags flags = make_flags();
  std::string form = "table";
  CLI::App app(program.help, program.name);
  app.require_subcommand(1);
  app.set_version_flag("--version", program.name + " " + program.version);
  CLI::App& serve = *app.add_subcommand("serve", "Run the manager until SIGTERM");
  declare(serve, flags);
  CLI::App& list =
      *app.add_subcommand("settings", "List every setting with its default and its names");
  list.add_option("--format", form, "Form of the list (table)")
      ->type_name("table|json|markdown")
      ->check(CLI::IsMember({"table", "json", "markdown"}));
  for (const PrintCommand& each : program.prints) app.add_subcommand(each.name, each.help);
  try {
    parse(app, arguments);
  } catch (const CLI::CallForHelp&) {
    return Print{app.help()};
  } catch (const CLI::CallForVersion& call) {
    return Print{std::string(call.what()) + "\n"};
  }
  if (list.parsed()) return Print{list_settings(form_of(form))};
  for (const PrintCommand& each : program.prints) {
    if (app.got_subcommand(each.name)) return Print{each.text()};
  }
  return resolve(serve, flags, environment);
}

Settings load_settings(const std::vector<std::string>& flags, const Environment& environment) {
  Flags values = make_flags();
  CLI::App serve("", "serve");
  serve.set_help_flag();
  declare(serve, values);
  parse(serve, flags);
  return resolve(serve, values, environment);
}

}  // namespace mp
