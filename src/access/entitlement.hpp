// What the licence opens at a moment: a pure function of what is kept of it and the time, so that a
// licence ends by our own clock. Used by the gates, the licence endpoints, health and metrics.
#pragma once

#include "model/license.hpp"

#include <chrono>
#include <string_view>

namespace mp {

// How long the last answer counts when the licence server fails.
inline constexpr std::chrono::hours license_grace{24};

struct Entitlement {
  LicenseState state = LicenseState::None;
  LicenseType type = LicenseType::Community;
  bool valid = true;  // the stored key, if there is one, opens what it is for
  LicenseFeatures features{};
  std::int64_t max_proxies = community_proxies;    // or `unlimited`
  std::int64_t max_clusters = community_clusters;  // or `unlimited`
};

LicenseState state_of(const License& license, Time now);

// Without a licence: Community.
Entitlement entitlement_of(const License* license, Time now);

// Whether `features` has the one of this name. A name that no field has is none.
bool has_feature(const LicenseFeatures& features, std::string_view name);
// False for a name that no field has.
bool set_feature(LicenseFeatures& features, std::string_view name);

constexpr bool has_room(std::int64_t used, std::int64_t limit) {
  return limit == unlimited || used < limit;
}

// The 402: `details.feature` and `details.upgrade`. `message` empty: says where the licence stands.
Error not_licensed(const Entitlement& entitlement, std::string_view feature,
                   std::string message = {});

}  // namespace mp
