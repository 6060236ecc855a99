// State-of-the-world variant (xDS protocol, "SotW").
#include "xds/dialect.hpp"

namespace mp::xds {
namespace {

// Responses of these types hold everything subscribed to; what is missing is deleted. Those of the
// others may hold only what changed.
bool full_set(Type type) {
  return type == Type::Cluster || type == Type::Listener || type == Type::ScopedRoute;
}

Draft everything(const Lane& lane, std::vector<Sent> sent) {
  Draft draft{.version = {}, .resources = lane.all_held(), .removed = {}, .sent = std::move(sent)};
  draft.version = version_of(draft.resources);
  return draft;
}

class StateOfTheWorld final : public Dialect {
 public:
  // A request that answers an older response than the last one is outdated as a whole: the client
  // sends its names again when it has seen the last one.
  bool counts(const Lane& lane, const Request& request) const override {
    return lane.last_nonce().empty() || request.nonce == lane.last_nonce();
  }

  // version_info of a first request is what an earlier stream gave. It tells all only where a
  // response held all; of the other types the client may since have asked for more names.
  bool recalls(const Lane& lane, const Snapshot& snapshot) const override {
    return full_set(lane.type()) && lane.subscription().wildcard() && !lane.claimed().empty() &&
           lane.claimed() == version_of(snapshot.of(lane.type()));
  }

  bool repeats_all(Type type) const override { return full_set(type); }

  std::vector<Draft> drafts(const Lane& lane, const Delivery& delivery) const override {
    if (delivery.empty()) return {};
    std::vector<Draft> result;
    if (full_set(lane.type())) {
      result.push_back(everything(lane, delivery.sends));
      return result;
    }
    for (auto& batch : batches(lane.type(), delivery.sends)) {
      Draft draft;
      for (const auto& sent : batch) draft.resources.push_back(sent.resource);
      draft.version = version_of(draft.resources);
      draft.sent = std::move(batch);
      result.push_back(std::move(draft));
    }
    return result;
  }

  std::vector<Draft> farewells(const Lane& lane,
                               const std::vector<std::string>& names) const override {
    if (names.empty() || !full_set(lane.type())) return {};
    std::vector<Draft> result;
    result.push_back(everything(lane, {}));
    return result;
  }

  Draft nothing(const Lane& lane) const override { return everything(lane, {}); }
};

}  // namespace

const Dialect& state_of_the_world() {
  static const StateOfTheWorld instance;
  return instance;
}

}  // namespace mp::xds
