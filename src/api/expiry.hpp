// How near certificates are to their end, for /healthz and for metrics. Revoked ones do not count.
#pragma once

#include "base/metrics.hpp"
#include "model/health.hpp"
#include "store/store.hpp"

namespace mp::api {

// Warning from 30 days before the end of any certificate, Critical from 7 days on and after it.
ExpiryHealth expiry_health(Reader& db, Time now);

// How many there are in each state, and the seconds that the first ones have left.
void report_certificates(Reader& db, Time now, Scrape& scrape);

}  // namespace mp::api
