// Incremental variant (xDS protocol, "Incremental xDS").
#include "xds/dialect.hpp"

namespace mp::xds {
namespace {

std::string revision_text(const Lane& lane) {
  return lane.base() ? std::to_string(lane.base()->revision) : std::string{};
}

class Delta final : public Dialect {
 public:
  // "Subscription changes are applied even when the nonce is stale."
  bool counts(const Lane&, const Request&) const override { return true; }

  // initial_resource_versions has told what the client holds, name by name.
  bool recalls(const Lane&, const Snapshot&) const override { return false; }

  bool repeats_all(Type) const override { return false; }

  std::vector<Draft> drafts(const Lane& lane, const Delivery& delivery) const override {
    std::vector<Draft> result;
    const auto add = [&](const Batches& all) {
      for (const Batch& batch : all) {
        result.push_back({.version = revision_text(lane),
                          .resources = batch.resources,
                          .removed = {},
                          .sent = batch.sent});
      }
    };
    add(delivery.bundle ? delivery.bundle->batches : batches(lane.type(), delivery.sends));
    // removed_resources also says that what was asked for by name does not exist.
    for (auto& draft : farewells(lane, delivery.absent)) result.push_back(std::move(draft));
    return result;
  }

  std::vector<Draft> farewells(const Lane& lane,
                               const std::vector<std::string>& names) const override {
    if (names.empty()) return {};
    Draft draft = nothing(lane);
    draft.removed = names;
    return {std::move(draft)};
  }

  Draft nothing(const Lane& lane) const override {
    return {.version = revision_text(lane), .resources = {}, .removed = {}, .sent = {}};
  }

  bool waits_for_answer(Type, const Draft&) const override { return true; }
};

}  // namespace

const Dialect& delta() {
  static const Delta instance;
  return instance;
}

}  // namespace mp::xds
