// Rate limits as a client sees them: the headers of every limited answer, and the refusal.
#pragma once

#include "access/client.hpp"
#include "access/rate.hpp"
#include "api/call.hpp"

namespace mp::api {

// The address of who sent the request, behind trusted proxies.
std::string client_of(const http::Request& request, const TrustedProxies& proxies);

// Counts the request for its caller and sets `call.limits`; throws Code::RateLimit when he is over
// his quota.
void limit(Call& call, Rate rate);

}  // namespace mp::api
