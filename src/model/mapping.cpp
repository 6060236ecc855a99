#include "model/mapping.hpp"

#include <algorithm>
#include <charconv>

namespace mp {
namespace {

constexpr std::string_view collection_prefix = "collection:";

bool is_name(std::string_view text, std::size_t longest) {
  return !text.empty() && text.size() <= longest && std::ranges::all_of(text, [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '_' || letter == '-';
  });
}

std::optional<int> port_number(std::string_view text) {
  if (text.starts_with('0')) return std::nullopt;
  int value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size() || value < 1 || value > 65535)
    return std::nullopt;
  return value;
}

std::optional<Ports> parse_ports(std::string_view text) {
  const auto dash = text.find('-');
  const auto first = port_number(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : port_number(text.substr(dash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  return Ports{*first, *last};
}

bool speaks_http(const Mapping& mapping) {
  return std::ranges::any_of(mapping.protocols, [](Protocol protocol) {
    return protocol == Protocol::Http || protocol == Protocol::Https || protocol == Protocol::Ws ||
           protocol == Protocol::Wss;
  });
}

void check_ports(const Mapping& mapping, Violations& violations) {
  std::vector<int> seen;
  for (std::size_t at = 0; at < mapping.ports.size(); ++at) {
    const Ports& range = mapping.ports[at];
    const std::string path = "ports[" + std::to_string(at) + "]";
    if (seen.size() + static_cast<std::size_t>(range.last - range.first) + 1 > most_ports) {
      violations.push_back({path, "A mapping has at most 64 ports in all"});
      return;
    }
    for (int port = range.first; port <= range.last; ++port) {
      if (std::ranges::find(seen, port) != seen.end()) {
        violations.push_back({path, "Port " + std::to_string(port) + " is listed twice"});
        break;
      }
      seen.push_back(port);
    }
  }
}

}  // namespace

json::value ShapeOf<ServiceRef>::to_json(const ServiceRef& value) {
  switch (value.kind) {
    case ServiceRef::Kind::Any: return json::value("any");
    case ServiceRef::Kind::Collection:
      return json::value(std::string(collection_prefix) + value.name);
    case ServiceRef::Kind::Service: break;
  }
  return json::value(value.name);
}

void ShapeOf<ServiceRef>::from_json(ServiceRef& target, const json::value& value,
                                    const Rules& rules, const std::string& path,
                                    Violations& violations) {
  const auto* text = value.if_string();
  const std::string_view name = text ? std::string_view(*text) : std::string_view();
  if (name == "any") {
    target = {.kind = ServiceRef::Kind::Any, .name = ""};
  } else if (name.starts_with(collection_prefix) &&
             is_name(name.substr(collection_prefix.size()), 50)) {
    target = {.kind = ServiceRef::Kind::Collection,
              .name = std::string(name.substr(collection_prefix.size()))};
  } else if (is_name(name, 100)) {
    target = {.kind = ServiceRef::Kind::Service, .name = std::string(name)};
  } else {
    shape::add(violations, rules, path, "Must be a service's name, collection:<name> or any",
               value);
  }
}

json::object ShapeOf<ServiceRef>::schema(const Rules&) {
  return {{"type", "string"},
          {"minLength", 1},
          {"maxLength", 100},
          {"pattern", "^(collection:[A-Za-z0-9_-]{1,50}|[A-Za-z0-9_-]{1,100})$"}};
}

json::value ShapeOf<Ports>::to_json(const Ports& value) {
  if (value.first == value.last) return value.first;
  return json::value(std::to_string(value.first) + "-" + std::to_string(value.last));
}

void ShapeOf<Ports>::from_json(Ports& target, const json::value& value, const Rules& rules,
                               const std::string& path, Violations& violations) {
  if (const auto* text = value.if_string()) {
    if (const auto range = parse_ports(*text)) {
      target = *range;
      return;
    }
    shape::add(violations, rules, path, "Must be a port, or a range such as \"8000-8010\"", value);
    return;
  }
  std::int64_t port = 0;
  if (shape::read_integer(port, value, {.min = 1, .max = 65535}, path, violations)) {
    target = {static_cast<int>(port), static_cast<int>(port)};
  }
}

json::object ShapeOf<Ports>::schema(const Rules&) {
  constexpr std::string_view port =
      "([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])";
  const std::string pattern = std::string("^").append(port).append("(-").append(port).append(")?$");
  return {{"oneOf",
           json::array{
               {{"type", "integer"}, {"format", "int32"}, {"minimum", 1}, {"maximum", 65535}},
               {{"type", "string"}, {"minLength", 1}, {"maxLength", 11}, {"pattern", pattern}}}}};
}

std::vector<int> all_ports(const Mapping& mapping) {
  std::vector<int> ports;
  for (const Ports& range : mapping.ports) {
    for (int port = range.first; port <= range.last; ++port) ports.push_back(port);
  }
  std::ranges::sort(ports);
  return ports;
}

void check_mapping(const void* object, Violations& violations) {
  const auto& mapping = *static_cast<const Mapping*>(object);
  check_ports(mapping, violations);
  for (std::size_t at = 0; at < mapping.dest_services.size(); ++at) {
    if (mapping.dest_services[at].kind != ServiceRef::Kind::Any) continue;
    violations.push_back({"dest_services[" + std::to_string(at) + "]", "any can only be a source"});
  }
  if (speaks_http(mapping)) return;
  if (!mapping.hosts.empty())
    violations.push_back({"hosts", "Needs one of the protocols http, https, ws, wss"});
  if (mapping.path_prefix != "/") {
    violations.push_back({"path_prefix", "Needs one of the protocols http, https, ws, wss"});
  }
}

}  // namespace mp
