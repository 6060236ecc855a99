#include "cli/commands.hpp"

namespace mp::cli {

CLI::App& add_command(CLI::App& parent, std::string_view name, std::string_view help,
                      std::initializer_list<std::string_view> examples) {
  CLI::App& command = *parent.add_subcommand(std::string(name), std::string(help));
  std::string footer;
  for (const auto example : examples)
    footer.append(footer.empty() ? "Examples:\n  marchctl " : "\n  marchctl ").append(example);
  command.footer(footer);
  return command;
}

CLI::App& add_noun(CLI::App& verb, const Resource& resource, std::string_view name,
                   const std::string& help) {
  CLI::App& command = add_command(verb, name, help);
  const std::string other = name == resource.plural() ? resource.file_kind() : resource.plural();
  if (other != name) command.alias(other);
  return command;
}

std::string with_article(std::string_view noun) {
  const bool vowel = std::string_view("aeio").find(noun.front()) != std::string_view::npos;
  return (vowel ? "an " : "a ") + std::string(noun);
}

}  // namespace mp::cli
