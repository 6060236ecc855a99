// The manager's command line: which command is meant, and the settings it runs with, from flags
// over environment over the YAML file. Pure but for reading that file. Used by app/main and by
// tests.
#pragma once

#include "settings/settings.hpp"

#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace mp {

// Text for standard output; the program then ends with 0.
struct Print {
  std::string text;
};

// A command that only prints something, such as the OpenAPI document.
struct PrintCommand {
  std::string name;
  std::string help;
  std::function<std::string()> text;
};

struct Program {
  std::string name;     // "marchproxy-manager"
  std::string version;  // "v1.0.0"
  std::string help;
  std::vector<PrintCommand> prints;  // besides `serve`, `settings`, --help and --version
};

using Environment = std::vector<std::pair<std::string, std::string>>;

// The variables of this process.
Environment process_environment();

// `serve` gives Settings, everything else text. `arguments` come without the program's name. Throws
// mp::Error (Validation) whose message is one line naming the setting and where it was set.
std::variant<Settings, Print> read_command(const Program& program,
                                           const std::vector<std::string>& arguments,
                                           const Environment& environment);

// What `serve` with these flags would run with.
Settings load_settings(const std::vector<std::string>& flags, const Environment& environment);

enum class SettingsForm { Table, Json, Markdown };

// Every setting with default, environment name, flag and help.
std::string list_settings(SettingsForm form);

}  // namespace mp
