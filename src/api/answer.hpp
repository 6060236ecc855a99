// The envelope: every answer's outer form, success and error alike.
#pragma once

#include "api/call.hpp"
#include "base/error.hpp"
#include "base/random_texts.hpp"
#include "http/message.hpp"

namespace mp::api {

inline constexpr std::string_view api_version = "1.0.0";

http::Response success(const Reply& reply, std::string_view request_id, Time now);
// Unknown exceptions have become Code::Internal by now; `error.log` is not used here.
http::Response failure(const Error& error, std::string_view request_id, Time now);
// What the HTTP server answers before a request can be read.
http::Response refusal(int status, std::string_view message, Time now);

// The client's X-Request-ID when it is usable, else a new one.
std::string request_id_of(const http::Request& request, RandomTexts& ids);

}  // namespace mp::api
