#include "xds/log_entry.hpp"

#include "xds/log_decision.hpp"

#include <google/protobuf/util/time_util.h>

#include <array>
#include <cstdio>

namespace mp::xds {
namespace {

using envoy::config::core::v3::Address;
using envoy::data::accesslog::v3::AccessLogCommon;
using envoy::data::accesslog::v3::HTTPAccessLogEntry;
using envoy::data::accesslog::v3::ResponseFlags;
using envoy::data::accesslog::v3::TCPAccessLogEntry;
using google::protobuf::Duration;
using google::protobuf::util::TimeUtil;
using syslog::Facility;
using syslog::Record;
using syslog::Severity;

// Envoy's names for them (%RESPONSE_FLAGS%), by the number of the field.
constexpr std::array<std::pair<int, std::string_view>, 28> flag_names{
    {{1, "LH"},    {2, "UH"},   {3, "UT"},   {4, "LR"},  {5, "UR"},   {6, "UF"},     {7, "UC"},
     {8, "UO"},    {9, "NR"},   {10, "DI"},  {11, "FI"}, {12, "RL"},  {13, "UAEX"},  {14, "RLSE"},
     {15, "DC"},   {16, "URX"}, {17, "SI"},  {18, "IH"}, {19, "DPE"}, {20, "UMSDR"}, {21, "RFCF"},
     {22, "NFCF"}, {23, "DT"},  {24, "UPE"}, {25, "NC"}, {26, "OM"},  {27, "DF"},    {28, "DR"}}};

std::string flags_of(const ResponseFlags& flags) {
  std::vector<const google::protobuf::FieldDescriptor*> set;
  flags.GetReflection()->ListFields(flags, &set);
  std::string text;
  for (const auto* field : set) {
    for (const auto& [number, name] : flag_names) {
      if (number == field->number()) text += (text.empty() ? "" : ",") + std::string(name);
    }
  }
  return text;
}

std::string milliseconds(const Duration& duration) {
  const std::int64_t micros = TimeUtil::DurationToMicroseconds(duration);
  char text[32];
  std::snprintf(text, sizeof text, "%lld.%03lld", static_cast<long long>(micros / 1000),
                static_cast<long long>(micros % 1000));
  return text;
}

syslog::Microtime start_of(const AccessLogCommon& common) {
  return syslog::Microtime{
      std::chrono::microseconds{TimeUtil::TimestampToMicroseconds(common.start_time())}};
}

syslog::Microtime end_of(const AccessLogCommon& common) {
  return start_of(common) +
         std::chrono::microseconds{TimeUtil::DurationToMicroseconds(common.duration())};
}

// The fields of a record; what is unknown is left out.
class Fields {
 public:
  void add(std::string_view name, std::string value) {
    if (!value.empty()) data_.emplace_back(name, std::move(value));
  }
  void add_number(std::string_view name, std::uint64_t value) {
    data_.emplace_back(name, std::to_string(value));
  }
  void add_address(std::string_view name, std::string_view port_name, const Address& address) {
    if (!address.has_socket_address()) return;
    add(name, address.socket_address().address());
    add_number(port_name, address.socket_address().port_value());
  }
  std::vector<std::pair<std::string_view, std::string>> take() { return std::move(data_); }

 private:
  std::vector<std::pair<std::string_view, std::string>> data_;
};

// What all records say, whatever was logged.
struct Traffic {
  const AccessLogCommon& common;
  std::string protocol;
  std::int64_t mapping = 0;
  std::string service;
  std::uint64_t bytes_in = 0;   // from the client
  std::uint64_t bytes_out = 0;  // to it
};

// Not a name or password that stands before the host.
std::string host_of(const HTTPAccessLogEntry& entry) {
  const std::string& authority = entry.request().authority();
  const auto at = authority.rfind('@');
  return at == authority.npos ? authority : authority.substr(at + 1);
}

void add_way(Fields& fields, const Traffic& traffic, const LogContext& context) {
  fields.add("cluster", context.config.cluster->name);
  if (traffic.mapping != 0)
    fields.add_number("mapping", static_cast<std::uint64_t>(traffic.mapping));
  fields.add("service", traffic.service);
}

void add_flow(Fields& fields, const Traffic& traffic) {
  const AccessLogCommon& common = traffic.common;
  fields.add("protocol", traffic.protocol);
  fields.add_address("client", "client_port", common.downstream_direct_remote_address());
  fields.add_address("server", "server_port", common.downstream_local_address());
  fields.add_address("upstream", "upstream_port", common.upstream_remote_address());
}

void add_amounts(Fields& fields, const Traffic& traffic) {
  fields.add_number("bytes_in", traffic.bytes_in);
  fields.add_number("bytes_out", traffic.bytes_out);
  fields.add("duration_ms", milliseconds(traffic.common.duration()));
}

Record begin_record(std::string_view kind, const Traffic& traffic, const LogContext& context) {
  return {.time = end_of(traffic.common),
          .host = context.source.hostname,
          .process = context.source.proxy_id,
          .kind = std::string(kind)};
}

std::string client_of(const Traffic& traffic) {
  return traffic.common.downstream_direct_remote_address().socket_address().address();
}

Record decision_record(const Decision& decision, const Traffic& traffic,
                       const LogContext& context) {
  Record record = begin_record("auth", traffic, context);
  record.facility = Facility::Authorization;
  record.severity = decision.allowed ? Severity::Information : Severity::Warning;
  Fields fields;
  fields.add("decision", decision.allowed ? "allowed" : "denied");
  fields.add("proof", std::string(name_of(decision.proof)));
  fields.add("caller", decision.caller);
  fields.add("reason", decision.reason);
  add_way(fields, traffic, context);
  add_flow(fields, traffic);
  record.data = fields.take();
  record.text = (decision.allowed ? "allowed " : "denied ") +
                (decision.caller.empty() ? client_of(traffic) : decision.caller) +
                (decision.allowed ? "" : ": " + decision.reason);
  return record;
}

Record flow_record(const Traffic& traffic, const LogContext& context) {
  Record record = begin_record("netflow", traffic, context);
  Fields fields;
  add_way(fields, traffic, context);
  add_flow(fields, traffic);
  add_amounts(fields, traffic);
  record.data = fields.take();
  record.text = traffic.protocol + " from " + client_of(traffic);
  return record;
}

void add_connection(Fields& fields, const AccessLogCommon& common) {
  fields.add("flags", flags_of(common.response_flags()));
  fields.add("details", common.connection_termination_details());
  fields.add("upstream_failure", common.upstream_transport_failure_reason());
  fields.add("tls_failure", common.downstream_transport_failure_reason());
  fields.add("server_name", common.tls_properties().tls_sni_hostname());
  if (common.has_time_to_first_upstream_rx_byte())
    fields.add("upstream_ms", milliseconds(common.time_to_first_upstream_rx_byte()));
  if (common.upstream_request_attempt_count() > 1)
    fields.add_number("attempts", common.upstream_request_attempt_count());
}

Record begin_details(const Traffic& traffic, const LogContext& context) {
  Record record = begin_record("debug", traffic, context);
  record.severity = Severity::Debug;
  return record;
}

Record detail_record(const HTTPAccessLogEntry& entry, const Traffic& traffic,
                     const LogContext& context) {
  const auto& request = entry.request();
  const std::string method = envoy::config::core::v3::RequestMethod_Name(request.request_method());
  const std::string path(bare_path(request.path()));
  Record record = begin_details(traffic, context);
  Fields fields;
  fields.add("method", method);
  if (entry.response().has_response_code())
    fields.add_number("status", entry.response().response_code().value());
  fields.add("host", host_of(entry));
  fields.add("path", path);
  add_way(fields, traffic, context);
  add_flow(fields, traffic);
  add_amounts(fields, traffic);
  fields.add("request_id", request.request_id());
  fields.add("response_details", entry.response().response_code_details());
  add_connection(fields, traffic.common);
  fields.add("user_agent", request.user_agent());
  record.data = fields.take();
  record.text = method + " " + path;
  return record;
}

Record detail_record(const TCPAccessLogEntry&, const Traffic& traffic, const LogContext& context) {
  Record record = begin_details(traffic, context);
  Fields fields;
  add_way(fields, traffic, context);
  add_flow(fields, traffic);
  add_amounts(fields, traffic);
  add_connection(fields, traffic.common);
  record.data = fields.take();
  record.text = traffic.protocol + " from " + client_of(traffic);
  return record;
}

std::string protocol_of(const HTTPAccessLogEntry& entry) {
  switch (entry.protocol_version()) {
    case HTTPAccessLogEntry::HTTP10: return "http/1.0";
    case HTTPAccessLogEntry::HTTP11: return "http/1.1";
    case HTTPAccessLogEntry::HTTP2: return "h2";
    case HTTPAccessLogEntry::HTTP3: return "h3";
    default: return "http";
  }
}

Traffic traffic_of(const HTTPAccessLogEntry& entry, const LogContext& context) {
  const AccessLogCommon& common = entry.common_properties();
  const std::int64_t mapping = mapping_of(entry);
  return {
      .common = common,
      .protocol = protocol_of(entry),
      .mapping = mapping,
      .service = service_of({common.upstream_cluster(), mapping, host_of(entry)}, context.config),
      .bytes_in = common.downstream_wire_bytes_received(),
      .bytes_out = common.downstream_wire_bytes_sent()};
}

Traffic traffic_of(const TCPAccessLogEntry& entry, const LogContext& context) {
  const AccessLogCommon& common = entry.common_properties();
  const std::int64_t mapping = mapping_of(entry, context.config);
  return {.common = common,
          .protocol = is_udp(entry) ? "udp" : "tcp",
          .mapping = mapping,
          .service = service_of({common.upstream_cluster(), mapping}, context.config),
          .bytes_in = entry.connection_properties().received_bytes(),
          .bytes_out = entry.connection_properties().sent_bytes()};
}

template <class Entry>
std::vector<Record> make_records(const Entry& entry, const LogContext& context) {
  const Logging logging = logging_of(*context.config.cluster);
  const Traffic traffic = traffic_of(entry, context);
  const auto decision = decision_of(entry, context.config);
  std::vector<Record> records;
  if (logging.auth && decision) records.push_back(decision_record(*decision, traffic, context));
  if (logging.netflow) records.push_back(flow_record(traffic, context));
  if (logging.debug) records.push_back(detail_record(entry, traffic, context));
  return records;
}

}  // namespace

std::string_view bare_path(std::string_view path) {
  return path.substr(0, path.find_first_of("?#"));
}

std::vector<Record> records_of(const HTTPAccessLogEntry& entry, const LogContext& context) {
  return make_records(entry, context);
}

std::vector<Record> records_of(const TCPAccessLogEntry& entry, const LogContext& context) {
  return make_records(entry, context);
}

}  // namespace mp::xds
