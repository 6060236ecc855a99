#include "agent/completion.hpp"

#include <algorithm>

namespace mp::agent {
namespace {

bool is_path(const CompletionFlag& flag) { return flag.hint == "FILE" || flag.hint == "DIR"; }
bool is_choice(const CompletionFlag& flag) { return flag.hint.find('|') != std::string::npos; }

std::string words_of(std::string choices) {
  std::ranges::replace(choices, '|', ' ');
  return choices;
}

// Leaves what a single-quoted word, and a zsh description in brackets, cannot hold.
std::string plain(std::string text) {
  std::erase_if(text, [](char letter) { return letter == '[' || letter == ']' || letter == ':'; });
  for (std::size_t at = 0; (at = text.find('\'', at)) != std::string::npos; at += 4) {
    text.replace(at, 1, "'\\''");
  }
  return text;
}

std::string bash(std::span<const CompletionFlag> flags) {
  std::string all;
  std::string cases;
  for (const auto& flag : flags) {
    all.append(all.empty() ? "" : " ").append(flag.flag);
    if (is_choice(flag)) {
      cases += "    " + flag.flag + ") COMPREPLY=($(compgen -W '" + words_of(flag.hint) +
               "' -- \"$word\")); return ;;\n";
    } else if (is_path(flag)) {
      cases += "    " + flag.flag + ") COMPREPLY=($(compgen -" + (flag.hint == "DIR" ? "d" : "f") +
               " -- \"$word\")); return ;;\n";
    } else if (!flag.hint.empty()) {
      cases += "    " + flag.flag + ") return ;;\n";
    }
  }
  return "_marchproxy_agent() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]}\n"
         "  COMPREPLY=()\n"
         "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
         "    COMPREPLY=($(compgen -W 'run completion --help --version' -- \"$word\")); return\n"
         "  fi\n"
         "  if [ \"${COMP_WORDS[1]}\" = completion ]; then\n"
         "    COMPREPLY=($(compgen -W 'bash zsh fish' -- \"$word\")); return\n"
         "  fi\n"
         "  case ${COMP_WORDS[COMP_CWORD-1]} in\n" +
         cases +
         "  esac\n"
         "  COMPREPLY=($(compgen -W '" +
         all +
         "' -- \"$word\"))\n"
         "}\n"
         "complete -o filenames -F _marchproxy_agent marchproxy-agent\n";
}

std::string zsh(std::span<const CompletionFlag> flags) {
  std::string arguments;
  for (const auto& flag : flags) {
    std::string line = flag.flag + "[" + plain(flag.help) + "]";
    if (is_choice(flag))
      line += ":value:(" + words_of(flag.hint) + ")";
    else if (is_path(flag))
      line += flag.hint == "DIR" ? ":directory:_files -/" : ":file:_files";
    else if (!flag.hint.empty())
      line += ":" + flag.hint + ":";
    arguments += " \\\n      '" + line + "'";
  }
  return "#compdef marchproxy-agent\n"
         "_marchproxy_agent() {\n"
         "  if (( CURRENT == 2 )); then\n"
         "    compadd -- run completion --help --version\n"
         "  elif [[ ${words[2]} == completion ]]; then\n"
         "    compadd bash zsh fish\n"
         "  else\n"
         "    shift words; (( CURRENT-- ))\n"
         "    _arguments" +
         arguments +
         "\n"
         "  fi\n"
         "}\n"
         "compdef _marchproxy_agent marchproxy-agent\n";
}

std::string fish(std::span<const CompletionFlag> flags) {
  std::string script =
      "complete -c marchproxy-agent -f\n"
      "complete -c marchproxy-agent -n __fish_use_subcommand -a 'run completion'\n"
      "complete -c marchproxy-agent -n '__fish_seen_subcommand_from completion' -a 'bash zsh "
      "fish'\n";
  for (const auto& flag : flags) {
    script += "complete -c marchproxy-agent -n '__fish_seen_subcommand_from run' -l " +
              flag.flag.substr(2) + " -d '" + plain(flag.help) + "'";
    if (is_choice(flag))
      script += " -x -a '" + words_of(flag.hint) + "'";
    else if (is_path(flag))
      script += " -r -F";
    else if (!flag.hint.empty())
      script += " -x";
    script += "\n";
  }
  return script;
}

}  // namespace

std::string completion_script(std::string_view shell, std::span<const CompletionFlag> flags) {
  if (shell == "bash") return bash(flags);
  return shell == "zsh" ? zsh(flags) : fish(flags);
}

}  // namespace mp::agent
