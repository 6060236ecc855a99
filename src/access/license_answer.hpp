// What a licence server's answer means, checked field by field: it may be wrong, hostile or not
// the licence server at all. Pure; Licensing asks and keeps.
#pragma once

#include "base/fetch.hpp"
#include "model/license.hpp"

#include <string>

namespace mp {

inline constexpr std::string_view licensed_product = "marchproxy";

// Granted: the key is good. Refused: the server, or our clock, says it is not. None: no answer that
// makes sense, which says nothing of the key.
enum class LicenseVerdict { Granted, Refused, None };

struct LicenseAnswer {
  LicenseVerdict verdict = LicenseVerdict::None;
  std::string message{};  // Granted and Refused: for the client; None: what failed, for the log
  LicenseTier tier = LicenseTier::Community;
  LicenseFeatures features{};
  std::int64_t max_proxies = community_proxies;
  std::int64_t max_clusters = community_clusters;
  std::optional<Time> expires_at{};
  std::string server_id{};
};

LicenseAnswer read_license_answer(const FetchReply& reply, const Secret& key, Time now);

// "PENG-****-****-****-****-ABCD"
std::string mask_license_key(const Secret& key);

}  // namespace mp
