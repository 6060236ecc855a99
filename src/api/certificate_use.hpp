// Which mappings could not serve TLS without a certificate.
#pragma once

#include "model/certificate.hpp"
#include "store/store.hpp"

#include <vector>

namespace mp::api {

// The https and wss mappings, switched on, that answer to a host for which this is the only
// certificate that proxies are given now. By id; empty for one that is not given to them.
std::vector<std::int64_t> mappings_that_need(Reader& db, const Certificate& certificate, Time now);

}  // namespace mp::api
