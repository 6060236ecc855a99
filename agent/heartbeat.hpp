// What a heartbeat says: the proxy's health and its figures, from two measurements. Pure.
#pragma once

#include "agent/envoy_admin.hpp"
#include "agent/process_facts.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace mp::agent {

enum class Health { Healthy, Degraded, Unhealthy };
std::string_view to_string(Health health);

struct Measurement {
  double uptime = 0;  // seconds since boot
  ProcessId process;
  ProcessStat kernel;
  EnvoyStats envoy;
};

struct Figures {
  std::uint64_t active_connections = 0;
  double requests_per_second = 0;
  double cpu_usage = 0;     // 0..100: percent of all processors
  double memory_usage = 0;  // 0..100: percent of the physical memory
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
};

// Rates between the two; since the process's start when `before` is another process's or equal in
// time.
Figures figures(const Measurement& before, const Measurement& now, const Machine& machine);

// Healthy: ready. Degraded: ready, but its xDS stream is down. Unhealthy: anything else.
Health health(Answer ready, const EnvoyStats& stats);

// The body of POST /proxy/heartbeat.
boost::json::object heartbeat_body(const std::string& proxy_id, Health health,
                                   const Figures& figures);

}  // namespace mp::agent
