// How near certificates are to their end, for /healthz and for metrics. Revoked ones do not count.
#pragma once

#include "base/metrics.hpp"
#include "store/store.hpp"

#include <string_view>

namespace mp::api {

// "healthy"; "warning" from 30 days before the end of any certificate, "critical" from 7 days on
// and after it.
std::string_view expiry_health(Reader& db, Time now);

// How many there are in each state, and the seconds that the first ones have left.
void report_certificates(Reader& db, Time now, Scrape& scrape);

}  // namespace mp::api
