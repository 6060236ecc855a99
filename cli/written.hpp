// What is said about a write: what became of the object, secrets that are shown this once, and
// whether the proxies hold it.
#pragma once

#include "cli/client.hpp"
#include "cli/tool.hpp"

namespace mp::cli {

// "service web (3) created"; the object itself where -o asks for JSON or YAML.
void show_written(Tool& tool, const Resource& resource, const boost::json::object& object,
                  const std::string& what);

// A line about what was done: where -o asks for JSON or YAML on standard error.
void say(Tool& tool, const std::string& line);

// Secrets go to standard output, that they are shown once to standard error.
void show_secrets(Tool& tool, const Description& description, const boost::json::object& object,
                  Occasion occasion);

// Says where the change of `answer` is live when `seconds` asked for it: Refused unless it is.
Exit report_live(Tool& tool, const Answer& answer, std::int64_t seconds);

// Waits until no proxy lacks the change, showing progress; then as report_live.
Exit await_revision(Tool& tool, std::int64_t revision, std::chrono::seconds time);

// The option of commands that write.
void add_wait_option(CLI::App& command, std::int64_t& seconds);

}  // namespace mp::cli
