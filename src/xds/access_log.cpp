#include "xds/access_log.hpp"

#include "xds/encode.hpp"
#include "xds/mark.hpp"

#include "envoy/extensions/access_loggers/grpc/v3/als.pb.h"
#include "envoy/extensions/filters/network/set_filter_state/v3/set_filter_state.pb.h"

namespace mp::xds {
namespace {

using envoy::config::accesslog::v3::AccessLog;
using envoy::config::accesslog::v3::AccessLogFilter;
using envoy::config::core::v3::ApiVersion;
using envoy::config::listener::v3::FilterChain;
using envoy::extensions::access_loggers::grpc::v3::CommonGrpcAccessLogConfig;
using envoy::extensions::access_loggers::grpc::v3::HttpGrpcAccessLogConfig;
using envoy::extensions::access_loggers::grpc::v3::TcpGrpcAccessLogConfig;

// One and the same for all loggers of a proxy: Envoy opens a stream for each other configuration.
// The cluster key comes with the bootstrap's cluster, so that it stands in no snapshot.
CommonGrpcAccessLogConfig common_config() {
  CommonGrpcAccessLogConfig config;
  config.set_log_name("marchproxy");
  config.set_transport_api_version(ApiVersion::V3);
  config.mutable_grpc_service()->mutable_envoy_grpc()->set_cluster_name(
      std::string(control_plane_cluster));
  config.add_filter_state_objects_to_log(std::string(chain_state));
  return config;
}

void has(AccessLogFilter& filter, std::string_view metadata, std::string_view key) {
  auto& wanted = *filter.mutable_metadata_filter();
  wanted.mutable_match_if_key_not_found()->set_value(false);
  wanted.mutable_matcher()->set_filter(std::string(metadata));
  wanted.mutable_matcher()->add_path()->set_key(std::string(key));
  wanted.mutable_matcher()->mutable_value()->set_present_match(true);
}

bool only_decisions(const Logging& logging) {
  return logging.auth && !logging.netflow && !logging.debug;
}

AccessLog& add_stream_logger(AccessLogs& logs) {
  TcpGrpcAccessLogConfig config;
  *config.mutable_common_config() = common_config();
  AccessLog& log = *logs.Add();
  log.set_name("envoy.access_loggers.tcp_grpc");
  *log.mutable_typed_config() = pack(config);
  return log;
}

Mark::Proof proof_of(const StreamClaim& claim) {
  if (claim.guard->open()) return Mark::Proof::None;
  return claim.certificate ? Mark::Proof::Certificate : Mark::Proof::Address;
}

// The filter has no part in what becomes of the connection.
void mark(FilterChain& chain, const Mark& mark) {
  envoy::extensions::filters::network::set_filter_state::v3::Config config;
  auto& value = *config.add_on_new_connection();
  value.set_object_key(std::string(chain_state));
  value.set_factory_key("envoy.string");
  value.mutable_format_string()->mutable_text_format_source()->set_inline_string(to_text(mark));
  auto& filter = *chain.add_filters();
  filter.set_name("marchproxy.mark");
  *filter.mutable_typed_config() = pack(config);
}

}  // namespace

void log_requests(AccessLogs& logs, const Logging& logging) {
  if (!logging.any()) return;
  HttpGrpcAccessLogConfig config;
  *config.mutable_common_config() = common_config();
  AccessLog& log = *logs.Add();
  log.set_name("envoy.access_loggers.http_grpc");
  *log.mutable_typed_config() = pack(config);
  if (!only_decisions(logging)) return;
  auto& either = *log.mutable_filter()->mutable_or_filter();
  has(*either.add_filters(), decision_metadata, decision_result);
  has(*either.add_filters(), token_metadata, refused_token);
}

void log_connections(AccessLogs& logs, FilterChain& chain, const StreamClaim& claim,
                     const Logging& logging) {
  const Mark::Proof proof = proof_of(claim);
  if (!logging.any() || (only_decisions(logging) && proof == Mark::Proof::None)) return;
  mark(chain, {.mapping = claim.mapping->id, .proof = proof});
  add_stream_logger(logs);
}

void log_sessions(AccessLogs& logs, const StreamSettlement& claims, const Logging& logging) {
  const bool decides =
      !claims.shares.empty() || (claims.rest && proof_of(*claims.rest) != Mark::Proof::None);
  if (logging.any() && (decides || !only_decisions(logging))) add_stream_logger(logs);
}

void log_turned_away(AccessLogs& logs, const Logging& logging) {
  if (!logging.auth) return;
  AccessLog& log = add_stream_logger(logs);
  log.mutable_filter()->mutable_response_flag_filter()->add_flags("NR");
}

}  // namespace mp::xds
