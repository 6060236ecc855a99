#include "base/log.hpp"

#include "base/outside.hpp"
#include "base/utf8.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <boost/json.hpp>

#include <algorithm>

namespace mp::log {
namespace {

Format& format() {
  static Format value = Format::Text;
  return value;
}

spdlog::logger& logger() {
  static const auto instance = [] {
    auto made =
        std::make_shared<spdlog::logger>("mp", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    return made;
  }();
  return *instance;
}

constexpr std::string_view names[] = {"debug", "info", "warning", "error", "off"};

spdlog::level::level_enum native(Level level) {
  switch (level) {
    case Level::Debug: return spdlog::level::debug;
    case Level::Info: return spdlog::level::info;
    case Level::Warning: return spdlog::level::warn;
    case Level::Error: return spdlog::level::err;
    case Level::Off: break;
  }
  return spdlog::level::off;
}

std::string text_line(Level level, std::string_view message, Fields fields) {
  std::string line = to_string(SystemClock().now());
  // What a library said may have several lines; an entry has one.
  line.append(" ").append(names[static_cast<int>(level)]).append(" ").append(one_line(message));
  for (const auto& [name, value] : fields) {
    line.append(" ").append(name).append("=");
    const bool plain = value.find_first_of(" \"\n\r\t\x1b") == std::string::npos && !value.empty();
    line.append(plain ? value : boost::json::serialize(boost::json::string(value)));
  }
  return line;
}

std::string json_line(Level level, std::string_view message, Fields fields) {
  boost::json::object line{{"time", to_string(SystemClock().now())},
                           {"level", names[static_cast<int>(level)]},
                           {"message", message}};
  for (const auto& [name, value] : fields) line[name] = value;
  return boost::json::serialize(line);
}

void write(Level level, std::string_view message, Fields fields) {
  if (!enabled(level)) return;
  const std::string line = format() == Format::Json ? json_line(level, message, fields)
                                                    : text_line(level, message, fields);
  logger().log(native(level), "{}", line);
}

}  // namespace

void configure(Level level, Format chosen) {
  format() = chosen;
  logger().set_level(native(level));
  logger().flush_on(spdlog::level::debug);
}

bool enabled(Level level) { return logger().should_log(native(level)); }

void debug(std::string_view message, Fields fields) { write(Level::Debug, message, fields); }
void info(std::string_view message, Fields fields) { write(Level::Info, message, fields); }
void warning(std::string_view message, Fields fields) { write(Level::Warning, message, fields); }
void error(std::string_view message, Fields fields) { write(Level::Error, message, fields); }

}  // namespace mp::log
