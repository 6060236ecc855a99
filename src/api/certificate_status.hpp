// The filter `status` of lists of certificates: it is no column, but what the clock and a
// revocation make of two.
#pragma once

#include "api/selection.hpp"

namespace mp::api {

void narrow_to_status(Selection& selection, const ListQuery& query, Time now);

}  // namespace mp::api
