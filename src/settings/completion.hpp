// Completion scripts for the shells, made from a program's command line as CLI11 has it: its
// commands, flags, choices, files and folders. Used by the agent and by marchctl.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace mp {

// The shells that there are scripts for: "bash|zsh|fish".
inline constexpr std::string_view completion_shells = "bash|zsh|fish";

// Commands that print the words for an argument, one a line, by what stands for the argument in the
// help: {"SERVICE", "marchctl list services -o name"}.
using WordSources = std::map<std::string, std::string>;

std::string completion_script(std::string_view shell, const CLI::App& program,
                              const WordSources& sources = {});

}  // namespace mp
