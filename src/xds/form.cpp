#include "xds/form.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace mp::xds {
namespace {

constexpr std::pair first_with_scopes{1, 40};

// The first two numbers of "1.36.4"; (0, 0) when there are none.
std::pair<int, int> release_of(std::string_view version) {
  std::pair release{0, 0};
  const char* const end = version.data() + version.size();
  const auto major = std::from_chars(version.data(), end, release.first);
  if (major.ec != std::errc{} || major.ptr == end || *major.ptr != '.') return {0, 0};
  const auto minor = std::from_chars(major.ptr + 1, end, release.second);
  return minor.ec == std::errc{} ? release : std::pair{0, 0};
}

}  // namespace

Flavour route_form(Flavour spoken, std::string_view version) {
  const auto release = release_of(version);
  const bool known = release != std::pair{0, 0};
  return known && release < first_with_scopes ? Flavour::StateOfTheWorld : spoken;
}

bool is_proxyless(const Node& node, const Request& first) {
  const std::string& agent = node.user_agent;
  if (node.proxy_type == "grpc" || agent.starts_with("gRPC") || agent.starts_with("grpc"))
    return true;
  return agent != "envoy" && first.type_url == type_url(Type::Listener) &&
         !first.subscribe.empty() &&
         std::ranges::find(first.subscribe, "*") == first.subscribe.end();
}

}  // namespace mp::xds
