// The agent's relation to the manager: registers, fetches the bootstrap, sends heartbeats, and
// starts over when the manager no longer knows the proxy or its key. Driven by the loop; waits
// nowhere but in a request.
#pragma once

#include "agent/cluster_key.hpp"
#include "agent/control_plane.hpp"
#include "agent/envoy_keeper.hpp"

namespace mp::agent {

class Membership {
 public:
  Membership(ControlPlane& control_plane, ClusterKey& key, EnvoyKeeper& envoy);

  // Does what is due; returns when it wants to be called again at the latest.
  TimePoint act();

  // The next heartbeat goes out now rather than at its time.
  void report_soon();

 private:
  void look_at_key();
  void join();
  void report();
  void look_at_degradation(Health health);
  void register_again(std::string_view reason);
  void failed(std::string_view what, const RequestFailed& error);

  ClusterKey& key_;
  EnvoyKeeper& envoy_;
  ControlPlane& control_plane_;
  std::optional<Registration> registration_;
  TimePoint next_{};
  Backoff backoff_{std::chrono::milliseconds(500), std::chrono::seconds(30)};
  unsigned degraded_ = 0;  // heartbeats in a row
};

}  // namespace mp::agent
