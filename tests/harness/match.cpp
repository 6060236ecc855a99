#include "match.hpp"

#include <boost/json.hpp>

#include <optional>
#include <regex>
#include <stdexcept>

namespace mp::test {

namespace json = boost::json;

namespace {

constexpr std::string_view follows = "…";

std::string text_of(const json::value& value) {
  return value.is_string() ? std::string(value.as_string()) : json::serialize(value);
}

std::string repeated(const std::string& text) {
  static const std::regex form("\\{\\{(\\d+)\\*([^}]*)\\}\\}");
  std::string result;
  auto rest = text.cbegin();
  std::smatch parts;
  while (std::regex_search(rest, text.cend(), parts, form)) {
    result.append(rest, parts[0].first);
    for (int left = std::stoi(parts[1].str()); left > 0; --left) result += parts[2].str();
    rest = parts[0].second;
  }
  return result.append(rest, text.cend());
}

// "<now>", "<now+1h>", "<now-30s>"
std::optional<std::string> moment(const std::string& text, Time now) {
  static const std::regex form("<now(([+-])(\\d+)([smhd]))?>");
  std::smatch parts;
  if (!std::regex_match(text, parts, form)) return std::nullopt;
  if (!parts[1].matched) return to_string(now);
  const std::string unit = parts[4].str();
  const int one = unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 86400;
  const std::chrono::seconds step(std::stoi(parts[3].str()) * one);
  return to_string(parts[2].str() == "+" ? now + step : now - step);
}

}  // namespace

std::string fill(const std::string& text, const Names& names) {
  static const std::regex form("\\$(\\{([a-z_0-9]+)\\}|([a-z_][a-z_0-9]*))");
  std::string result;
  auto rest = text.cbegin();
  std::smatch parts;
  while (std::regex_search(rest, text.cend(), parts, form)) {
    const std::string name = parts[2].matched ? parts[2].str() : parts[3].str();
    const auto found = names.find(name);
    if (found == names.end()) throw std::runtime_error("$" + name + " is not set");
    result.append(rest, parts[0].first).append(found->second);
    rest = parts[0].second;
  }
  result.append(rest, text.cend());
  return repeated(result);
}

void Match::expect(bool holds, const std::string& path, const std::string& what,
                   const json::value& actual) {
  if (!holds)
    problems_.push_back(path + ": should be " + what + ", is " +
                        json::serialize(actual).substr(0, 200));
}

bool Match::is_placeholder(const std::string& expected, const json::value& actual,
                           const std::string& path) {
  if (expected == "<any>") return true;
  if (expected == "<id>") {
    expect(actual.is_int64() && actual.as_int64() > 0, path, "an id", actual);
  } else if (expected == "<time>") {
    expect(actual.is_string() && parse_time(actual.as_string()), path, "a time", actual);
  } else if (expected == "<text>") {
    expect(actual.is_string() && !actual.as_string().empty(), path, "a text", actual);
  } else if (const auto time = moment(expected, now_)) {
    expect(actual.is_string() && *time == std::string_view(actual.as_string()), path, *time,
           actual);
  } else if (expected.starts_with('$')) {
    const auto [name, fresh] = names_.try_emplace(expected.substr(1), text_of(actual));
    if (!fresh)
      expect(name->second == text_of(actual), path, expected + " = " + name->second, actual);
  } else {
    return false;
  }
  return true;
}

void Match::compare(const json::value& expected, const json::value& actual,
                    const std::string& path) {
  if (expected.is_string() && is_placeholder(std::string(expected.as_string()), actual, path))
    return;
  if (expected.is_object() && actual.is_object())
    return compare_objects(expected.as_object(), actual.as_object(), path);
  if (expected.is_array() && actual.is_array())
    return compare_lists(expected.as_array(), actual.as_array(), path);
  if (expected.is_number() && actual.is_number()) {
    return expect(expected.to_number<double>() == actual.to_number<double>(), path,
                  json::serialize(expected), actual);
  }
  expect(expected == actual, path, json::serialize(expected), actual);
}

void Match::compare_text(const std::string& expected, const std::string& actual,
                         const std::string& path) {
  if (expected == "<none>") return expect(actual.empty(), path, "absent", json::value(actual));
  if (expected == "<any>") return expect(!actual.empty(), path, "there", json::value(actual));
  const bool capture = expected.starts_with('$') && !names_.contains(expected.substr(1));
  if (capture) return void(names_.emplace(expected.substr(1), actual));
  const std::string wanted = fill(expected, names_);
  expect(wanted == actual, path, wanted, json::value(actual));
}

void Match::compare_objects(const json::object& expected, const json::object& actual,
                            const std::string& path) {
  for (const auto& member : expected) {
    if (std::string_view(member.key()) == follows) continue;
    const std::string below = path + "." + std::string(member.key());
    const auto* value = actual.if_contains(member.key());
    if (value)
      compare(member.value(), *value, below);
    else
      problems_.push_back(below + ": is missing");
  }
  if (expected.contains(follows)) return;
  for (const auto& member : actual) {
    if (!expected.contains(member.key()))
      problems_.push_back(path + "." + std::string(member.key()) + ": was not expected");
  }
}

void Match::compare_lists(const json::array& expected, const json::array& actual,
                          const std::string& path) {
  const bool open = !expected.empty() && expected.back() == json::value(follows);
  const std::size_t count = expected.size() - (open ? 1 : 0);
  if (open ? actual.size() < count : actual.size() != count) {
    return expect(false, path, std::to_string(count) + " items", actual);
  }
  for (std::size_t at = 0; at < count; ++at)
    compare(expected[at], actual[at], path + "[" + std::to_string(at) + "]");
}

}  // namespace mp::test
