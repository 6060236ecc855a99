// State-of-the-world variant (xDS protocol, "SotW").
#include "xds/dialect.hpp"

#include <algorithm>

namespace mp::xds {
namespace {

// Responses of these types hold everything subscribed to; what is missing is deleted. Those of the
// others may hold only what changed.
bool full_set(Type type) {
  return type == Type::Cluster || type == Type::Listener || type == Type::ScopedRoute;
}

Draft everything(const Lane& lane, SharedList<Sent> sent) {
  Draft draft{.version = {}, .resources = lane.all_held(), .removed = {}, .sent = std::move(sent)};
  draft.version = version_of(draft.resources.items());
  draft.repeats = true;
  return draft;
}

VersionSum held(const Lane& lane) {
  VersionSum sum;
  for (const auto& resource : lane.all_held()) sum.add(resource->name, resource->version);
  return sum;
}

class StateOfTheWorld final : public Dialect {
 public:
  // A request that answers an older response than the last one is outdated as a whole: the client
  // sends its names again when it has seen the last one.
  bool counts(const Lane& lane, const Request& request) const override {
    return lane.last_nonce().empty() || request.nonce == lane.last_nonce();
  }

  // version_info of a first request is what an earlier stream gave: the version of all that the
  // client held with that response.
  bool recalls(const Lane& lane, const Snapshot& snapshot) const override {
    if (lane.claimed().empty()) return false;
    VersionSum sum;
    for (const auto& resource : snapshot.of(lane.type())) {
      if (lane.subscription().contains(resource->name)) sum.add(resource->name, resource->version);
    }
    return lane.claimed() == sum.text();
  }

  bool repeats_all(Type type) const override { return full_set(type); }

  std::vector<Draft> drafts(const Lane& lane, const Delivery& delivery) const override {
    if (delivery.empty()) return {};
    std::vector<Draft> result;
    if (full_set(lane.type())) {
      result.push_back(everything(lane, delivery.sends));
      return result;
    }
    VersionSum sum = held(lane);
    const auto parts = batches(lane.type(), delivery.sends);
    // From the last to the first: with each the client lacks what comes after it.
    for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
      result.push_back(
          {.version = sum.text(), .resources = part->resources, .removed = {}, .sent = part->sent});
      for (const auto& sent : part->sent) {
        sum.remove(sent.resource->name, sent.resource->version);
        if (sent.before) sum.add(sent.before->name, sent.before->version);
      }
    }
    std::ranges::reverse(result);
    return result;
  }

  std::vector<Draft> farewells(const Lane& lane,
                               const std::vector<std::string>& names) const override {
    if (names.empty()) return {};
    std::vector<Draft> result;
    result.push_back(nothing(lane));
    result.back().leaves = names;
    return result;
  }

  // Of types whose responses may be partial, one without resources changes the version alone.
  Draft nothing(const Lane& lane) const override {
    if (full_set(lane.type())) return everything(lane, {});
    return {.version = held(lane).text(), .resources = {}, .removed = {}, .sent = {}};
  }

  // Envoy does not answer when it has no names of the type to look for any more.
  bool waits_for_answer(Type type, const Draft& draft) const override {
    return full_set(type) || !draft.resources.empty();
  }
};

}  // namespace

const Dialect& state_of_the_world() {
  static const StateOfTheWorld instance;
  return instance;
}

}  // namespace mp::xds
