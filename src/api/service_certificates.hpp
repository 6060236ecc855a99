// Client certificates of services: what is remembered of them goes some time after their end.
#pragma once

#include "store/store.hpp"

namespace mp::api {

// From the background loop.
void forget_issued_certificates(Store& store, const Clock& clock);

}  // namespace mp::api
