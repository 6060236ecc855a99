// What the client of a stream holds, for who asks; nothing here changes the stream.
#include "xds/stream.hpp"

#include <map>
#include <utility>

namespace mp::xds {

void Stream::add_resources(const Lane& lane, std::vector<HeldResource>& all) const {
  using Standing = HeldResource::Standing;
  std::map<std::string, HeldResource> found;
  const auto at = [&](const std::string& name) -> HeldResource& {
    return found.try_emplace(name, HeldResource{.type = lane.type(), .name = name}).first->second;
  };
  for (const auto& resource : lane.all_held()) {
    const auto want = target_ ? find_resource(target_->of(lane.type()), resource->name) : nullptr;
    const bool same = want && want->version == resource->version;
    at(resource->name).held = resource;
    at(resource->name).standing = same ? Standing::Synced : Standing::Unsent;
  }
  if (target_) {
    for (const auto& resource : target_->of(lane.type())) {
      if (lane.subscription().contains(resource->name)) at(resource->name);
    }
  }
  // Until the answer comes, what was there before is in use.
  for (auto flight = lane.flights().rbegin(); flight != lane.flights().rend(); ++flight) {
    for (const auto& sent : flight->sent) {
      at(sent.resource->name).held = sent.before;
      at(sent.resource->name).standing = Standing::Sent;
    }
  }
  for (auto& [name, resource] : found) {
    if (quarantine_.contains(lane.type(), name)) resource.standing = Standing::Refused;
    if (resource.held) resource.answered = answered_[static_cast<std::size_t>(lane.type())];
    all.push_back(std::move(resource));
  }
}

std::vector<HeldResource> Stream::resources() const {
  std::vector<HeldResource> all;
  for (const auto& each : lanes_) {
    if (each.requested()) add_resources(each, all);
  }
  return all;
}

std::vector<HeldType> Stream::held() const {
  std::vector<HeldType> types;
  for (const auto& each : lanes_) {
    if (!each.requested()) continue;
    const auto resources = each.all_held();
    types.push_back({.type_url = std::string(type_url(each.type())),
                     .version = version_of(resources),
                     .resources = resources.size()});
  }
  return types;
}

}  // namespace mp::xds
