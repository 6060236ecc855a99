// The access loggers of listeners (docs/data-plane.md, "Access logs"): what a cluster's switches
// make Envoy send to the manager. Used by http_manager and listener. With all switches off there is
// none.
#pragma once

#include "xds/build.hpp"
#include "xds/claims.hpp"

#include "envoy/config/accesslog/v3/accesslog.pb.h"
#include "envoy/config/listener/v3/listener_components.pb.h"

#include <string_view>

namespace mp::xds {

// Filter state of a connection: the Mark of its chain.
inline constexpr std::string_view chain_state = "marchproxy.chain";
// Dynamic metadata of a request that jwt_authn refused (key `refused_token`), and of one that RBAC
// decided about (key `decision_result`, and `decision_policy`: a Mark).
inline constexpr std::string_view token_metadata = "envoy.filters.http.jwt_authn";
inline constexpr std::string_view refused_token = "refused";
inline constexpr std::string_view decision_metadata = "envoy.filters.http.rbac";
inline constexpr std::string_view decision_result = "enforced_engine_result";
inline constexpr std::string_view decision_policy = "enforced_effective_policy_id";

using AccessLogs = google::protobuf::RepeatedPtrField<envoy::config::accesslog::v3::AccessLog>;

// For HTTP connection managers. With `auth` alone only requests that were decided about are sent.
void log_requests(AccessLogs& logs, const Logging& logging);

// For the TCP proxy of a chain that leads to `claim`: with `auth` alone only where callers have
// something to prove. Marks the chain, so that its connections are known by their mapping; call it
// before the chain's other filters are added.
void log_connections(AccessLogs& logs, envoy::config::listener::v3::FilterChain& chain,
                     const StreamClaim& claim, const Logging& logging);

// For the UDP proxy of a port with these claims.
void log_sessions(AccessLogs& logs, const StreamSettlement& claims, const Logging& logging);

// For a listener whose chains do not take everybody: those that no chain took.
void log_turned_away(AccessLogs& logs, const Logging& logging);

}  // namespace mp::xds
