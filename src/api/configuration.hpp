// The configuration of a cluster for proxies that are not Envoy.
#pragma once

#include "model/configuration.hpp"
#include "store/store.hpp"

namespace mp::api {

// Throws NotFound. `now` decides which previous secrets still count.
ProxyConfiguration load_configuration(Reader& db, std::int64_t cluster_id, Time now);

}  // namespace mp::api
