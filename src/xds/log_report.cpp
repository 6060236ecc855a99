#include "xds/log_report.hpp"

#include "xds/log_entry.hpp"

#include "envoy/service/accesslog/v3/als.pb.h"

#include <iterator>

namespace mp::xds {

LogReport::LogReport(Hub& hub, syslog::Relay& relay) : hub_(hub), relay_(relay) {
  hub.tell([this](const Cluster& cluster) { direct(cluster); });
}

void LogReport::direct(const Cluster& cluster) {
  const bool wanted = cluster.is_active && logging_of(cluster).any();
  relay_.direct({.cluster_id = cluster.id,
                 .cluster_name = cluster.name,
                 .endpoint = wanted ? cluster.syslog_endpoint : ""});
}

// Without the cluster's intent nothing can be said of its records.
void LogReport::prepare(const LogSource& source) { hub_.follow(source.cluster_id); }

// The switches are those of this moment: an entry that comes after one was switched off is dropped.
void LogReport::take(const LogSource& source, const LogMessage& message) {
  hub_.status().counters().log_entries += static_cast<std::uint64_t>(
      message.http_logs().log_entry_size() + message.tcp_logs().log_entry_size());
  const ClusterConfigPtr config = hub_.config(source.cluster_id);
  if (!config || !logging_of(*config->cluster).any()) return;
  const LogContext context{source, *config};
  std::vector<syslog::Record> records;
  const auto add = [&](std::vector<syslog::Record> more) {
    records.insert(records.end(), std::make_move_iterator(more.begin()),
                   std::make_move_iterator(more.end()));
  };
  for (const auto& entry : message.http_logs().log_entry()) add(records_of(entry, context));
  for (const auto& entry : message.tcp_logs().log_entry()) add(records_of(entry, context));
  relay_.put(source.cluster_id, records);
}

}  // namespace mp::xds
