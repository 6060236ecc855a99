#include "agent/heartbeat.hpp"

#include <algorithm>
#include <cmath>

namespace mp::agent {
namespace {

double rounded(double value) { return std::round(value * 100) / 100; }

double percent(double part, double whole) {
  return whole > 0 ? rounded(std::clamp(100 * part / whole, 0.0, 100.0)) : 0;
}

double grown(std::uint64_t before, std::uint64_t now) {
  return now > before ? static_cast<double>(now - before) : 0;
}

// A process that has just started: nothing counted yet.
Measurement origin(const Measurement& now, const Machine& machine) {
  return {.uptime = static_cast<double>(now.process.start_time) / machine.ticks_per_second,
          .process = now.process};
}

}  // namespace

std::string_view to_string(Health health) {
  if (health == Health::Healthy) return "healthy";
  return health == Health::Degraded ? "degraded" : "unhealthy";
}

Figures figures(const Measurement& before, const Measurement& now, const Machine& machine) {
  const bool usable = before.process == now.process && before.uptime < now.uptime;
  const Measurement from = usable ? before : origin(now, machine);
  const double seconds = now.uptime - from.uptime;
  const double cpu = grown(from.kernel.cpu_ticks, now.kernel.cpu_ticks) / machine.ticks_per_second;
  return {.active_connections = now.envoy.connections,
          .requests_per_second =
              seconds > 0 ? rounded(grown(from.envoy.requests, now.envoy.requests) / seconds) : 0,
          .cpu_usage = percent(cpu, seconds * machine.processors),
          .memory_usage = percent(static_cast<double>(now.kernel.resident_pages), machine.pages),
          .bytes_sent = now.envoy.bytes_sent,
          .bytes_received = now.envoy.bytes_received};
}

Health health(Answer ready, const EnvoyStats& stats) {
  if (ready != Answer::Ready) return Health::Unhealthy;
  return stats.control_plane_lost ? Health::Degraded : Health::Healthy;
}

boost::json::object heartbeat_body(const std::string& proxy_id, Health health,
                                   const Figures& figures) {
  return {{"proxy_id", proxy_id},
          {"status", to_string(health)},
          {"metrics",
           {{"active_connections", figures.active_connections},
            {"requests_per_second", figures.requests_per_second},
            {"cpu_usage", figures.cpu_usage},
            {"memory_usage", figures.memory_usage},
            {"bytes_sent", figures.bytes_sent},
            {"bytes_received", figures.bytes_received}}}};
}

}  // namespace mp::agent
