// The program's log: one line an event, text or JSON, to stderr. Fields are named, so that a JSON
// reader can find them. Never pass a secret: a Secret has no text form.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace mp::log {

enum class Level { Debug, Info, Warning, Error, Off };
enum class Format { Text, Json };

using Fields = std::initializer_list<std::pair<std::string_view, std::string>>;

// Sets both for the whole process; call once at start, before threads.
void configure(Level level, Format format);
bool enabled(Level level);

void debug(std::string_view message, Fields fields = {});
void info(std::string_view message, Fields fields = {});
void warning(std::string_view message, Fields fields = {});
void error(std::string_view message, Fields fields = {});

}  // namespace mp::log
