// From an entry of Envoy's access log to records for syslog: which decision about a caller it
// shows, which connection or request it was (docs/how-to/access-logs.md lists the fields). Pure;
// used by log_report. What may be a credential is left out: headers, query strings, names before an
// `@`.
#pragma once

#include "syslog/record.hpp"
#include "xds/build.hpp"
#include "xds/log_stream.hpp"

#include "envoy/data/accesslog/v3/accesslog.pb.h"

#include <vector>

namespace mp::xds {

// Who sent the entry, and what its mappings and services are called. The switches are the config's.
struct LogContext {
  const LogSource& source;
  const ClusterConfig& config;
};

// At most one record for each switch that is on.
std::vector<syslog::Record> records_of(const envoy::data::accesslog::v3::HTTPAccessLogEntry& entry,
                                       const LogContext& context);
std::vector<syslog::Record> records_of(const envoy::data::accesslog::v3::TCPAccessLogEntry& entry,
                                       const LogContext& context);

// A path without its query and fragment; for logs.
std::string_view bare_path(std::string_view path);

}  // namespace mp::xds
