// What who may not pass is answered: 401 and 403 of the proxy itself as JSON, in the form of the
// REST API's errors. Answers of the services are left alone, and so are those to gRPC clients,
// which read a status instead of a body.
#pragma once

#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb.h"

namespace mp::xds {

void add_denials(
    envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager&);

}  // namespace mp::xds
