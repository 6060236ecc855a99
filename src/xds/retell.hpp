// The same secret in other bytes. Envoy remembers a secret by its hash before it has tried it: one
// that it has refused, sent again as it was, it acknowledges without looking, and goes on with the
// one before.
#pragma once

#include "base/time.hpp"
#include "xds/snapshot.hpp"

namespace mp::xds {

// Under the same name and version, with a remark before its certificates that differs with `now`.
ResourcePtr retell(const ResourcePtr& secret, Time now);

}  // namespace mp::xds
