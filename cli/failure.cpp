#include "cli/failure.hpp"

#include "base/utf8.hpp"

#include <boost/json.hpp>

namespace mp::cli {
namespace {

namespace json = boost::json;

std::string text_at(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  if (!value) return {};
  return value->is_string() ? std::string(value->get_string()) : json::serialize(*value);
}

std::string first_line(int status, const json::object& error) {
  const std::string message = text_at(error, "message");
  const std::string code = text_at(error, "code");
  if (message.empty() && code.empty()) return "the server answered " + std::to_string(status);
  return one_line(message) + " (" + one_line(code) + ")";
}

std::string violation_line(const json::object& violation) {
  std::string line = text_at(violation, "field") + ": " + text_at(violation, "issue");
  const std::string provided = text_at(violation, "provided");
  if (!provided.empty()) line += " (it was " + provided + ")";
  return one_line(line);
}

// The violations; without any, what the details say.
std::vector<std::string> more_lines(const json::object& error) {
  std::vector<std::string> lines;
  const auto* violations = error.if_contains("violations");
  if (violations && violations->is_array()) {
    for (const auto& each : violations->get_array()) {
      if (each.is_object()) lines.push_back(violation_line(each.get_object()));
    }
  }
  const auto* details = error.if_contains("details");
  if (!lines.empty() || !details || !details->is_object()) return lines;
  for (const auto& member : details->get_object())
    lines.push_back(
        one_line(std::string(member.key()) + ": " + text_at(details->get_object(), member.key())));
  return lines;
}

}  // namespace

Refused::Refused(int status, json::object error)
    : Failure(Exit::Refused, first_line(status, error), more_lines(error)),
      status(status),
      error(std::move(error)) {}

Failure wrong_usage(const std::string& text) { return {Exit::Usage, text}; }

Failure wrong_usage(const std::string& text, const Violations& violations) {
  std::vector<std::string> lines;
  for (const Violation& each : violations)
    lines.push_back(one_line(each.field + ": " + each.issue));
  return {Exit::Usage, text, std::move(lines)};
}

}  // namespace mp::cli
