// The JSON body of a request: RFC 8259, UTF-8, at most 1 MiB and 64 levels, no key twice in an
// object.
#pragma once

#include "http/message.hpp"

#include <boost/json/value.hpp>

namespace mp::api {

inline constexpr std::size_t most_json = 1024 * 1024;
inline constexpr std::size_t most_levels = 64;

// Throws UnsupportedMediaType for a body that is compressed.
void refuse_encoding(const http::Request& request);

// Throws UnsupportedMediaType for a Content-Type that is not JSON (none counts as JSON), Validation
// of `body` for text that does not parse.
boost::json::value parse_body(const http::Request& request);

}  // namespace mp::api
