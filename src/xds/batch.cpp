#include "xds/batch.hpp"

#include <utility>

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

Batch batch_of(std::vector<Sent> sent) {
  Resources resources;
  resources.reserve(sent.size());
  for (const Sent& each : sent) resources.push_back(each.resource);
  return {.sent = std::move(sent), .resources = std::move(resources)};
}

}  // namespace

Batches batches(Type type, const SharedList<Sent>& sends) {
  const std::size_t limit = most_in_one(type, sends.size());
  Batches result;
  std::vector<Sent> batch;
  std::size_t bytes = 0;
  for (const auto& sent : sends) {
    const std::size_t size = sent.resource->body.size() + sent.resource->name.size();
    if (!batch.empty() && (batch.size() == limit || bytes + size > most_bytes)) {
      result.push_back(batch_of(std::exchange(batch, {})));
      bytes = 0;
    }
    batch.push_back(sent);
    bytes += size;
  }
  if (!batch.empty()) result.push_back(batch_of(std::move(batch)));
  return result;
}

}  // namespace mp::xds
