// Which mappings could not serve TLS, or know their callers, without a certificate.
#pragma once

#include "model/certificate.hpp"
#include "store/store.hpp"

#include <vector>

namespace mp::api {

// The mappings, switched on, that answer to a host by https or wss, or whose callers prove
// themselves by certificates over tcp, and for which this is the only certificate that proxies are
// given now. By id; empty for one that is not given to them.
std::vector<std::int64_t> mappings_that_need(Reader& db, const Certificate& certificate, Time now);

}  // namespace mp::api
