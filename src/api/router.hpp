// Finds the endpoint of a method and path. /api/v1, /api and the deprecated /api/v0 are one API.
#pragma once

#include "api/endpoint.hpp"

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mp::api {

struct Route {
  const Endpoint* endpoint = nullptr;  // of the method; HEAD is GET
  Parameters path;
  // Without an endpoint: the methods that the path has; empty when there is no such path.
  std::vector<std::string_view> allowed;
  bool deprecated = false;  // came by /api/v0
  std::string rest;         // then: the path without version, "/services/42"
};

class Router {
 public:
  explicit Router(const std::vector<Endpoint>& endpoints);
  // `path` is percent-encoded, without a query.
  Route find(std::string_view method, std::string_view path) const;

 private:
  struct Pattern {
    std::vector<std::string> segments;  // "{id}" is a parameter
    const Endpoint* endpoint;
  };
  static void choose(const std::vector<Pattern>& candidates,
                     std::span<const std::string_view> segments, std::string_view method,
                     Route& route);
  std::map<std::string, std::vector<Pattern>, std::less<>> api_;  // by first segment
  std::map<std::string, std::vector<Pattern>, std::less<>> root_;
};

// Decodes "a%20b"; nullopt for a broken escape, a NUL, or what is no UTF-8.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);
// Pairs of "a=1&b=2"; nullopt when it cannot be decoded.
std::optional<Parameters> parse_query(std::string_view text);

}  // namespace mp::api
