// Takes the access logs that proxies send, makes records of them as their cluster's switches say,
// and gives these to the syslog relay. Follows the switches and endpoints of clusters by the hub.
// Built by app/manager, called by xds/log_stream.
#pragma once

#include "syslog/relay.hpp"
#include "xds/hub.hpp"
#include "xds/log_stream.hpp"

namespace mp::xds {

class LogReport final : public LogSink {
 public:
  // Before the hub starts. Both must outlive it.
  LogReport(Hub& hub, syslog::Relay& relay);

  void prepare(const LogSource& source) override;
  void take(const LogSource& source, const LogMessage& message) override;

 private:
  void direct(const Cluster& cluster);

  Hub& hub_;
  syslog::Relay& relay_;
};

}  // namespace mp::xds
