#include "agent/envoy_admin.hpp"

#include "agent/json_path.hpp"
#include "base/curl.hpp"

namespace json = boost::json;

namespace mp::agent {
namespace {

// Only what parse_stats reads, so that a proxy with many clusters does not print all it has.
constexpr std::string_view wanted_stats =
    R"(^(listener\..*\.downstream_cx_active|http\..*\.downstream_rq_total|(http|tcp)\..*\.downstream_cx_[rt]x_bytes_total|udp\..*\.downstream_sess_[rt]x_bytes|control_plane\.connected_state)$)";

// A listener's own gauge; Envoy also gives one for each of its threads.
bool is_connection_gauge(std::string_view name) {
  return name.starts_with("listener.") && name.ends_with(".downstream_cx_active") &&
         !name.starts_with("listener.admin.") && name.find(".worker_") == std::string_view::npos;
}

void add(EnvoyStats& stats, std::string_view name, std::uint64_t value) {
  if (is_connection_gauge(name)) stats.connections += value;
  if (name.starts_with("listener.") || name.starts_with("http.admin.")) return;
  if (name.ends_with(".downstream_rq_total")) stats.requests += value;
  if (name.ends_with("_tx_bytes_total") || name.ends_with("_sess_tx_bytes"))
    stats.bytes_sent += value;
  if (name.ends_with("_rx_bytes_total") || name.ends_with("_sess_rx_bytes"))
    stats.bytes_received += value;
  if (name == "control_plane.connected_state") stats.control_plane_lost = value == 0;
}

}  // namespace

std::optional<EnvoyStats> parse_stats(std::string_view json_text) {
  const json::value root = parsed(json_text);
  const json::value* list = find_at(root, {"stats"});
  if (list == nullptr || !list->is_array()) return std::nullopt;
  EnvoyStats stats;
  for (const json::value& each : list->as_array()) {
    const auto value = integer_at(each, {"value"}, 0);
    add(stats, text_at(each, {"name"}), value < 0 ? 0 : static_cast<std::uint64_t>(value));
  }
  return stats;
}

EnvoyAdmin::EnvoyAdmin(Wake& wake, const std::string& address)
    : base_("http://" + address), client_(wake, {.way = Way::Direct}) {}

HttpReply EnvoyAdmin::call(const std::string& method, const std::string& path) {
  return client_.send({.method = method, .url = base_ + path, .timeout = std::chrono::seconds(2)});
}

Answer EnvoyAdmin::ready() {
  const HttpReply reply = call("GET", "/ready");
  if (reply.status == 0) return Answer::Silent;
  return reply.ok() && reply.body.starts_with("LIVE") ? Answer::Ready : Answer::NotReady;
}

std::optional<EnvoyStats> EnvoyAdmin::stats() {
  const HttpReply reply =
      call("GET", "/stats?format=json&filter=" + curl::url_encoded(wanted_stats));
  if (!reply.ok()) return std::nullopt;
  return parse_stats(reply.body);
}

bool EnvoyAdmin::drain() {
  return call("POST", "/healthcheck/fail").ok() && call("POST", "/drain_listeners?graceful").ok();
}

}  // namespace mp::agent
