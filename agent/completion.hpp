// Completion scripts for the shells, made from the declared flags. Used by settings.cpp only.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace mp::agent {

// `hint` is empty for a flag without a value, FILE or DIR for a path, "a|b" for a choice.
struct CompletionFlag {
  std::string flag;
  std::string help;
  std::string hint;
};

// `shell` is bash, zsh or fish.
std::string completion_script(std::string_view shell, std::span<const CompletionFlag> flags);

}  // namespace mp::agent
