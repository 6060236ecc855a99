#include "agent/membership.hpp"

#include <system_error>

namespace mp::agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds key_check_step{1};
constexpr seconds first_report_after{5};

// Degraded heartbeats between two looks at the bootstrap: it may name another address, key or
// authority.
constexpr unsigned first_look = 2;
constexpr unsigned look_every = 10;

}  // namespace

Membership::Membership(ControlPlane& control_plane, ClusterKey& key, EnvoyKeeper& envoy)
    : key_(key), envoy_(envoy), control_plane_(control_plane) {}

TimePoint Membership::act() {
  look_at_key();
  if (SteadyClock::now() >= next_) {
    if (registration_)
      report();
    else
      join();
  }
  return std::min(next_, SteadyClock::now() + key_check_step);
}

void Membership::report_soon() {
  if (registration_) next_ = SteadyClock::now();
}

void Membership::look_at_key() {
  if (!key_.refresh()) return;
  backoff_.reset();
  register_again("the cluster key file holds another key");
  next_ = SteadyClock::now();
}

void Membership::register_again(std::string_view reason) {
  log::info("registering again", {{"reason", std::string(reason)}});
  registration_.reset();
  // Only a heartbeat that is accepted resets it: no endless quick round of both calls.
  next_ = SteadyClock::now() + backoff_.next(random_share());
}

void Membership::join() {
  try {
    const Registration fresh = control_plane_.register_proxy(key_.value());
    envoy_.use(read_bootstrap(control_plane_.bootstrap(key_.value(), fresh.proxy_id)));
    registration_ = fresh;
  } catch (const RequestFailed& error) {
    return failed("cannot register", error);
  } catch (const std::runtime_error& error) {  // BadBootstrap, or it cannot be stored
    next_ = SteadyClock::now() + backoff_.next(random_share());
    return log::error("cannot use the manager's bootstrap", {{"reason", error.what()}});
  }
  degraded_ = 0;
  next_ = SteadyClock::now();
  if (!envoy_.ready()) next_ += std::min(registration_->heartbeat_interval, first_report_after);
  log::info("registered",
            {{"proxy_id", registration_->proxy_id},
             {"cluster_id", std::to_string(registration_->cluster_id)},
             {"heartbeat_interval", std::to_string(registration_->heartbeat_interval.count())}});
}

void Membership::report() {
  const Observation seen = envoy_.observe();
  try {
    control_plane_.heartbeat(key_.value(),
                             heartbeat_body(registration_->proxy_id, seen.health, seen.figures));
    next_ = SteadyClock::now() + registration_->heartbeat_interval;
    backoff_.reset();
    look_at_degradation(seen.health);
  } catch (const RequestFailed& error) {
    if (error.status == 404) return register_again("the manager does not know this proxy");
    if (error.status == 401) return register_again("the manager refused the cluster key");
    failed("cannot report", error);
    if (!error.retry_after) {
      next_ = std::min(next_, SteadyClock::now() + registration_->heartbeat_interval);
    }
  }
}

void Membership::look_at_degradation(Health health) {
  degraded_ = health == Health::Degraded ? degraded_ + 1 : 0;
  if (degraded_ % look_every != first_look) return;
  try {
    envoy_.use(read_bootstrap(control_plane_.bootstrap(key_.value(), registration_->proxy_id)));
  } catch (const RequestFailed& error) {
    log::warning("cannot fetch the bootstrap", {{"reason", error.what()}});
  } catch (const std::runtime_error& error) {
    log::error("cannot use the manager's bootstrap", {{"reason", error.what()}});
  }
}

void Membership::failed(std::string_view what, const RequestFailed& error) {
  if (error.interrupted) {
    next_ = SteadyClock::now();  // once the loop has looked at what interrupted it
    return;
  }
  const milliseconds delay = retry_delay(error, backoff_, random_share());
  next_ = SteadyClock::now() + delay;
  log::warning(what,
               {{"reason", error.what()}, {"try_again_in_ms", std::to_string(delay.count())}});
}

}  // namespace mp::agent
