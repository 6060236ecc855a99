// Messages as texts, for complaints and traces.
#include "tests/simulation/client.hpp"

#include <array>
#include <string_view>

namespace mp::xds {
namespace {

constexpr std::array<std::string_view, type_count> nouns{"cluster",  "endpoint", "secret",
                                                         "listener", "route",    "scope"};

}  // namespace

std::string show(Type type, const std::string& name) {
  return std::string(nouns[static_cast<std::size_t>(type)]) + " " + name;
}

std::string show(const Response& response) {
  std::string text = response.nonce + ": ";
  for (const auto& each : response.resources)
    text += show(response.type, each->name) + "=" + each->version.substr(0, 3) + "{" + each->body +
            "} ";
  for (const auto& name : response.removed) text += "-" + show(response.type, name) + " ";
  return text + (response.resources.empty() && response.removed.empty()
                     ? show(response.type, "nothing")
                     : "");
}

std::string show(const Request& request) {
  const auto type = find_type(request.type_url);
  std::string text = type ? show(*type, "") : "unknown ";
  for (const auto& name : request.subscribe) text += "+" + name + " ";
  for (const auto& name : request.unsubscribe) text += "-" + name + " ";
  for (const KnownVersion each : request.initial_versions)
    text += "has " + each.name + "=" + each.version.substr(0, 3) + " ";
  if (!request.nonce.empty()) text += "answers " + request.nonce;
  return text + (request.error ? " no: " + *request.error : "");
}

}  // namespace mp::xds
