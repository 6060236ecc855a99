// Keeps one Envoy running from the newest bootstrap: takes over the one an earlier agent left,
// starts it again when it dies, replaces it after a drain when the bootstrap changed. Used by the
// loop and by membership. Knows nothing of the manager.
#pragma once

#include "agent/backoff.hpp"
#include "agent/envoy_process.hpp"
#include "agent/heartbeat.hpp"
#include "agent/settings.hpp"
#include "agent/state_directory.hpp"

#include <memory>
#include <optional>
#include <utility>

namespace mp::agent {

struct Observation {
  Health health = Health::Unhealthy;
  Figures figures;
};

class EnvoyKeeper {
 public:
  EnvoyKeeper(const Settings& settings, StateDirectory& state, Wake& wake);

  // At the agent's start: takes over a running Envoy, or starts one from the stored bootstrap.
  void resume();

  // The manager's present bootstrap: stored when it differs, and Envoy replaced when it runs from
  // another one. Throws BadBootstrap, std::system_error when it cannot be stored.
  void use(Bootstrap fresh);

  // Looks after Envoy; returns when it wants to be called again at the latest.
  TimePoint act();

  // Asks Envoy how it is; the figures are rates since the observation before.
  Observation observe();

  bool ready() const { return ready_; }

  // True once after Envoy became ready or ended by itself: worth telling the manager at once.
  bool take_news() { return std::exchange(news_, false); }

  // Drains and ends Envoy. At most the drain time and some seconds.
  void stop();

 private:
  void start();
  void adopt(EnvoyProcess process, const EnvoyRecord& record);
  void attach(EnvoyProcess process, const std::string& admin);
  void let_go();
  void look_at_end();
  void look_at_readiness();
  void start_later();
  bool answers_within(std::chrono::seconds time);
  void drain();
  void end_process();
  EnvoyCommand command() const;

  const Settings& settings_;
  StateDirectory& state_;
  Wake& wake_;
  const Machine machine_ = this_machine();
  std::optional<Bootstrap> bootstrap_;
  std::optional<EnvoyProcess> process_;
  std::unique_ptr<EnvoyAdmin> admin_;  // null: Envoy has no admin interface
  std::string running_sha256_;         // of the bootstrap process_ was started from
  bool ready_ = false;
  bool news_ = false;
  TimePoint started_at_{};
  TimePoint start_at_{};
  Backoff backoff_{std::chrono::milliseconds(500), std::chrono::seconds(30)};
  Measurement last_;
};

}  // namespace mp::agent
