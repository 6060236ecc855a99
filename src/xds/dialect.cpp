#include "xds/dialect.hpp"

namespace mp::xds {
namespace {

constexpr std::size_t few = 16;
constexpr std::size_t most_unnamed = 512;  // resources of a response whose refusal names nothing
constexpr std::size_t most_bytes = 2U
                                   << 20U;  // half of what gRPC clients accept without being told

// "missing ]: [" is all that Envoy says of a refused route configuration or secret. There may be
// thousands of scopes; of secrets each goes by itself.
std::size_t most_in_one(Type type, std::size_t sends) {
  if (type == Type::Secret) return 1;
  if (type != Type::Route && type != Type::ScopedRoute) return sends;
  return sends <= few ? 1 : most_unnamed;
}

}  // namespace

std::vector<std::vector<Sent>> batches(Type type, const std::vector<Sent>& sends) {
  const std::size_t limit = most_in_one(type, sends.size());
  std::vector<std::vector<Sent>> result;
  std::size_t bytes = 0;
  for (const auto& sent : sends) {
    const std::size_t size = sent.resource->body.size() + sent.resource->name.size();
    if (result.empty() || result.back().size() == limit || bytes + size > most_bytes) {
      result.emplace_back();
      bytes = 0;
    }
    result.back().push_back(sent);
    bytes += size;
  }
  return result;
}

std::string version_of(const Resources& resources) {
  VersionSum sum;
  for (const auto& resource : resources) sum.add(resource->name, resource->version);
  return sum.text();
}

}  // namespace mp::xds
