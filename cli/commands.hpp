// Every command of marchctl: each function stands in the file of its subject and adds its commands
// to the command line. A command sets Tool::chosen and does nothing before that is called.
#pragma once

#include "cli/tool.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

namespace mp::cli {

void add_reading(CLI::App& root, Tool& tool);   // list, get
void add_writing(CLI::App& root, Tool& tool);   // create, update, delete
void add_actions(CLI::App& root, Tool& tool);   // rotate-key, token, whoami …
void add_sign_in(CLI::App& root, Tool& tool);   // login, logout, contexts, use
void add_keeping(CLI::App& root, Tool& tool);   // keep-certificate
void add_waiting(CLI::App& root, Tool& tool);   // wait
void add_files(CLI::App& root, Tool& tool);     // apply, export
void add_planning(CLI::App& root, Tool& tool);  // plan
void add_status(CLI::App& root, Tool& tool);
void add_fleet(CLI::App& root, Tool& tool);       // fleet simulate
void add_explaining(CLI::App& root, Tool& tool);  // completion, reference

// A command with its examples, each a line without the program's name.
CLI::App& add_command(CLI::App& parent, std::string_view name, std::string_view help,
                      std::initializer_list<std::string_view> examples = {});

// `verb` with one command for each resource that has it, called in singular or plural.
CLI::App& add_noun(CLI::App& verb, const Resource& resource, std::string_view name,
                   const std::string& help);

// "a service", "an api-key"
std::string with_article(std::string_view noun);

}  // namespace mp::cli
