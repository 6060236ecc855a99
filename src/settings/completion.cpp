#include "settings/completion.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <algorithm>
#include <vector>

namespace mp {
namespace {

struct Flag {
  std::vector<std::string> names;  // "--output", "-o"
  std::string help;
  std::string hint;  // empty for a flag without a value
};

// A command, in the order in which they stand in the help; the program itself has no path.
struct Command {
  std::string path;                // " create service"
  std::vector<std::string> calls;  // the same with every alias in the last place
  std::vector<std::string> below;  // names of its commands
  std::vector<Flag> flags;
  std::string argument;  // what stands for its positional: "SERVICE", "bash|zsh|fish"
};

// The name that a declaration gave, without what CLI11 adds of its checks.
std::string type_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  return type.substr(0, type.find(':'));
}

std::string words_of(std::string choices) {
  std::ranges::replace(choices, '|', ' ');
  return choices;
}

bool is_choice(const std::string& hint) { return hint.find('|') != std::string::npos; }

Flag flag_of(const CLI::Option& option) {
  Flag flag{.names = {}, .help = option.get_description(), .hint = ""};
  for (const auto& name : option.get_lnames()) flag.names.push_back("--" + name);
  for (const auto& name : option.get_snames()) flag.names.push_back("-" + name);
  const bool takes_value = option.get_expected_max() > 0;
  if (takes_value) flag.hint = type_of(option).empty() ? "TEXT" : type_of(option);
  return flag;
}

void collect(const CLI::App& app, const std::string& above, std::vector<Command>& commands) {
  Command command;
  if (app.get_parent()) {
    command.path = above + " " + app.get_name();
    command.calls.push_back(command.path);
    for (const auto& alias : app.get_aliases()) command.calls.push_back(above + " " + alias);
  }
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_positional()) {
      command.flags.push_back(flag_of(*option));
    } else {
      const std::string type = type_of(*option);
      command.argument = is_choice(type) ? type : option->get_name(true);
    }
  }
  const auto below = app.get_subcommands({});
  for (const CLI::App* each : below) command.below.push_back(each->get_name());
  const std::string path = command.path;
  commands.push_back(std::move(command));
  for (const CLI::App* each : below) collect(*each, path, commands);
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text.append(text.empty() ? "" : " ").append(word);
  return text;
}

std::string flag_names(const Command& command) {
  std::string text;
  for (const Flag& flag : command.flags)
    text.append(text.empty() ? "" : " ").append(flag.names.front());
  return text;
}

// Leaves what a single-quoted word, and a zsh description in brackets, cannot hold.
std::string plain(std::string text) {
  std::erase_if(text, [](char letter) { return letter == '[' || letter == ']' || letter == ':'; });
  for (std::size_t at = 0; (at = text.find('\'', at)) != std::string::npos; at += 4) {
    text.replace(at, 1, "'\\''");
  }
  return text;
}

std::string identifier(std::string name) {
  std::ranges::replace(name, '-', '_');
  return name;
}

// "' list services'|' list service'"
std::string patterns(const Command& command) {
  std::string text;
  for (const auto& call : command.calls) text.append(text.empty() ? "'" : "|'").append(call + "'");
  return text;
}

// Finds the command's path; `array` holds the words and `first` is where they begin.
std::string path_loop(const std::vector<Command>& commands, const std::string& array,
                      const std::string& first, const std::string& end) {
  std::string text = "  local place= at\n  for ((at = " + first + "; at < " + end +
                     "; at++)); do\n    case \"$place ${" + array + "[at]}\" in\n";
  for (const Command& command : commands) {
    if (!command.path.empty())
      text += "      " + patterns(command) + ") place='" + command.path + "' ;;\n";
  }
  return text + "    esac\n  done\n";
}

class Bash {
 public:
  Bash(std::string name, const std::vector<Command>& commands, const WordSources& sources)
      : name_(std::move(name)), commands_(commands), sources_(sources) {}

  std::string script() const {
    const std::string function = "_" + identifier(name_);
    std::string text =
        function +
        "() {\n"
        "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} each\n"
        "  COMPREPLY=()\n"
        "  if [ \"$word\" = = ]; then word=; fi\n"
        "  if [ \"$before\" = = ]; then before=${COMP_WORDS[COMP_CWORD-2]}; fi\n" +
        path_loop(commands_, "COMP_WORDS", "1", "COMP_CWORD") + "  case \"$place $before\" in\n";
    for (const Command& command : commands_) text += values(command);
    text += "  esac\n  case \"$word\" in -*) ;; *)\n    case \"$place\" in\n";
    for (const Command& command : commands_) text += arguments(command);
    text += "    esac ;;\n  esac\n  case \"$place\" in\n";
    for (const Command& command : commands_) {
      text += "    '" + command.path + "') COMPREPLY=($(compgen -W '" + joined(command.below) +
              " " + flag_names(command) +
              (command.path.empty() ? "" : " " + flag_names(commands_.front())) +
              "' -- \"$word\")) ;;\n";
    }
    return text + "  esac\n}\ncomplete -o filenames -F " + function + " " + name_ + "\n";
  }

 private:
  // Without expansion of what the command prints, which compgen -W would do.
  static std::string printed_words(const std::string& command) {
    return "while IFS= read -r each; do [[ $each == \"$word\"* ]] && COMPREPLY+=(\"$each\"); done "
           "< "
           "<(" +
           command + " 2>/dev/null)";
  }

  std::string completions(const std::string& hint) const {
    if (const auto source = sources_.find(hint); source != sources_.end())
      return printed_words(source->second) + "; return";
    if (is_choice(hint))
      return "COMPREPLY=($(compgen -W '" + words_of(hint) + "' -- \"$word\")); return";
    if (hint == "FILE") return "COMPREPLY=($(compgen -f -- \"$word\")); return";
    if (hint == "DIR") return "COMPREPLY=($(compgen -d -- \"$word\")); return";
    return "return";
  }

  // After a flag of the program itself, in every command.
  std::string values(const Command& command) const {
    std::string text;
    for (const Flag& flag : command.flags) {
      if (flag.hint.empty()) continue;
      std::string pattern;
      for (const auto& name : flag.names) {
        const std::string start = command.path.empty() ? "*' " : "'" + command.path + " ";
        pattern.append(pattern.empty() ? "" : "|").append(start + name + "'");
      }
      text += "    " + pattern + ") " + completions(flag.hint) + " ;;\n";
    }
    return text;
  }

  std::string arguments(const Command& command) const {
    const bool known = is_choice(command.argument) || sources_.contains(command.argument);
    if (command.argument.empty() || !known) return "";
    return "      '" + command.path + "') " + completions(command.argument) + " ;;\n";
  }

  std::string name_;
  const std::vector<Command>& commands_;
  const WordSources& sources_;
};

std::string zsh_action(const std::string& hint, const WordSources& sources) {
  if (const auto source = sources.find(hint); source != sources.end())
    return "{compadd -- ${(f)\"$(" + source->second + " 2>/dev/null)\"}}";
  if (is_choice(hint)) return "(" + words_of(hint) + ")";
  if (hint == "FILE") return "_files";
  return hint == "DIR" ? "_files -/" : " ";
}

// The star: a flag may stand twice, as those of lists do. The equals sign: its value may follow
// one.
std::string zsh_flag(const Flag& flag, const WordSources& sources) {
  std::string text;
  for (const auto& name : flag.names) {
    const bool takes_value = !flag.hint.empty();
    const std::string joint = name.starts_with("--") ? "=" : "";
    text +=
        " \\\n        '" + (takes_value ? "*" + name + joint : name) + "[" + plain(flag.help) + "]";
    if (takes_value) text += ":" + plain(flag.hint) + ":" + zsh_action(flag.hint, sources);
    text += "'";
  }
  return text;
}

std::string zsh(const std::string& name, const std::vector<Command>& commands,
                const WordSources& sources) {
  const std::string function = "_" + identifier(name);
  std::string text = "#compdef " + name + "\n" + function + "() {\n" +
                     path_loop(commands, "words", "2", "CURRENT") + "  case \"$place\" in\n";
  for (const Command& command : commands) {
    text += "    '" + command.path + "')\n";
    if (!command.below.empty())
      text += "      [[ $PREFIX == -* ]] || compadd -- " + joined(command.below) + "\n";
    text += "      _arguments";
    for (const Command* source : {&command, &commands.front()}) {
      for (const Flag& flag : source->flags) {
        if (source == &command || !command.path.empty()) text += zsh_flag(flag, sources);
      }
    }
    // An empty list, as beside a message alone zsh would complete no flag.
    const std::string action = zsh_action(command.argument, sources);
    text += " \\\n        '*:argument:" + (action == " " ? "()" : action) + "' ;;\n";
  }
  return text + "  esac\n}\ncompdef " + function + " " + name + "\n";
}

std::string fish_value(const std::string& hint, const WordSources& sources) {
  if (hint.empty()) return "";
  if (const auto source = sources.find(hint); source != sources.end())
    return " -x -a '(" + source->second + " 2>/dev/null)'";
  if (is_choice(hint)) return " -x -a '" + words_of(hint) + "'";
  return hint == "FILE" || hint == "DIR" ? " -r -F" : " -x";
}

std::string fish(const std::string& name, const std::vector<Command>& commands,
                 const WordSources& sources) {
  const std::string function = "__" + identifier(name) + "_at";
  std::string text = "function " + function + "\n  set -l place ''\n" +
                     "  for word in (commandline -opc)[2..]\n    switch \"$place $word\"\n";
  for (const Command& command : commands) {
    if (command.path.empty()) continue;
    std::string calls = patterns(command);
    std::ranges::replace(calls, '|', ' ');
    text += "      case " + calls + "\n        set place '" + command.path + "'\n";
  }
  text += "    end\n  end\n  test \"$place\" = \"$argv[1]\"\nend\ncomplete -c " + name + " -f\n";
  for (const Command& command : commands) {
    const bool everywhere = command.path.empty();
    const std::string here =
        "complete -c " + name + " -n '" + function + " \"" + command.path + "\"'";
    if (!command.below.empty()) text += here + " -a '" + joined(command.below) + "'\n";
    if (is_choice(command.argument) || sources.contains(command.argument)) {
      const std::string value = fish_value(command.argument, sources);
      text += here + value.substr(3) + "\n";  // without -x, which is for values of flags
    }
    for (const Flag& flag : command.flags) {
      text += everywhere ? "complete -c " + name : here;
      for (const auto& each : flag.names)
        text += each.starts_with("--") ? " -l " + each.substr(2) : " -s " + each.substr(1);
      text += " -d '" + plain(flag.help) + "'" + fish_value(flag.hint, sources) + "\n";
    }
  }
  return text;
}

}  // namespace

std::string completion_script(std::string_view shell, const CLI::App& program,
                              const WordSources& sources) {
  std::vector<Command> commands;
  collect(program, "", commands);
  const std::string& name = program.get_name();
  if (shell == "bash") return Bash(name, commands, sources).script();
  return shell == "zsh" ? zsh(name, commands, sources) : fish(name, commands, sources);
}

}  // namespace mp
