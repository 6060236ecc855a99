#include "api/router.hpp"

#include "base/utf8.hpp"

#include <algorithm>

namespace mp::api {
namespace {

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> segments;
  segments.reserve(8);
  if (path.starts_with('/')) path.remove_prefix(1);
  for (;;) {
    const auto slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

bool is_parameter(std::string_view segment) { return segment.starts_with('{'); }

int hex(char letter) {
  if (letter >= '0' && letter <= '9') return letter - '0';
  const char lower = static_cast<char>(letter | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool is_unreserved(int letter) {
  return (letter >= '0' && letter <= '9') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= 'a' && letter <= 'z') || letter == '-' || letter == '.' || letter == '_' ||
         letter == '~';
}

// RFC 3986 6.2.2.2: "%73ervices" is "services".
std::string without_needless_encoding(std::string_view path) {
  std::string plain;
  while (!path.empty()) {
    const bool encoded = path[0] == '%' && path.size() > 2;
    const int high = encoded ? hex(path[1]) : -1, low = encoded ? hex(path[2]) : -1;
    const bool needless = high >= 0 && low >= 0 && is_unreserved(high * 16 + low);
    plain.push_back(needless ? static_cast<char>(high * 16 + low) : path[0]);
    path.remove_prefix(needless ? 3 : 1);
  }
  return plain;
}

// How many segments of the pattern are literal, or -1 when it does not fit.
int fit(const std::vector<std::string>& pattern, std::span<const std::string_view> path) {
  if (pattern.size() != path.size()) return -1;
  int literal = 0;
  for (std::size_t at = 0; at < path.size(); ++at) {
    if (is_parameter(pattern[at])) {
      if (path[at].empty()) return -1;
    } else if (pattern[at] != path[at]) {
      return -1;
    } else {
      ++literal;
    }
  }
  return literal;
}

std::optional<Parameters> values(const std::vector<std::string>& pattern,
                                 std::span<const std::string_view> path) {
  Parameters parameters;
  for (std::size_t at = 0; at < path.size(); ++at) {
    if (!is_parameter(pattern[at])) continue;
    auto value = percent_decode(path[at], false);
    if (!value) return std::nullopt;
    parameters.emplace_back(pattern[at].substr(1, pattern[at].size() - 2), *std::move(value));
  }
  return parameters;
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '+' && plus_is_space) {
      decoded.push_back(' ');
    } else if (text[at] != '%') {
      decoded.push_back(text[at]);
    } else {
      if (at + 2 >= text.size()) return std::nullopt;
      const int high = hex(text[at + 1]), low = hex(text[at + 2]);
      if (high < 0 || low < 0 || (high == 0 && low == 0)) return std::nullopt;
      decoded.push_back(static_cast<char>(high * 16 + low));
      at += 2;
    }
  }
  if (!is_utf8(decoded)) return std::nullopt;
  return decoded;
}

std::optional<Parameters> parse_query(std::string_view text) {
  Parameters parameters;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    if (part.empty()) continue;
    const auto equals = part.find('=');
    auto name = percent_decode(part.substr(0, equals), true);
    auto value =
        percent_decode(equals == std::string_view::npos ? "" : part.substr(equals + 1), true);
    if (!name || !value) return std::nullopt;
    parameters.emplace_back(*std::move(name), *std::move(value));
  }
  return parameters;
}

Router::Router(const std::vector<Endpoint>& endpoints) {
  for (const Endpoint& endpoint : endpoints) {
    const auto parts = split(endpoint.path);
    auto& table = endpoint.at_root ? root_ : api_;
    table[std::string(parts[0])].push_back({{parts.begin(), parts.end()}, &endpoint});
  }
}

Route Router::find(std::string_view method, std::string_view path) const {
  Route route;
  std::string plain;
  if (path.find('%') != std::string_view::npos) path = plain = without_needless_encoding(path);
  const auto all = split(path);
  std::span<const std::string_view> segments = all;
  const bool api = segments.size() > 1 && segments[0] == "api";
  if (api) {
    segments = segments.subspan(1);
    if (segments.size() > 1 && (segments[0] == "v1" || segments[0] == "v0")) {
      route.deprecated = segments[0] == "v0";
      segments = segments.subspan(1);
    }
  }
  if (route.deprecated) {
    for (const std::string_view segment : segments) route.rest.append("/").append(segment);
  }
  const auto& table = api ? api_ : root_;
  const auto candidates = table.find(segments[0]);
  if (candidates != table.end()) choose(candidates->second, segments, method, route);
  return route;
}

void Router::choose(const std::vector<Pattern>& candidates,
                    std::span<const std::string_view> segments, std::string_view method,
                    Route& route) {
  int best = -1;
  for (const Pattern& pattern : candidates) best = std::max(best, fit(pattern.segments, segments));
  if (best < 0) return;
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  for (const Pattern& pattern : candidates) {
    if (fit(pattern.segments, segments) != best) continue;
    route.allowed.push_back(pattern.endpoint->method);
    if (pattern.endpoint->method != wanted) continue;
    route.allowed.clear();
    auto parameters = values(pattern.segments, segments);
    if (!parameters) return;
    route.endpoint = pattern.endpoint;
    route.path = *std::move(parameters);
    return;
  }
  if (std::ranges::find(route.allowed, "GET") != route.allowed.end())
    route.allowed.push_back("HEAD");
}

}  // namespace mp::api
