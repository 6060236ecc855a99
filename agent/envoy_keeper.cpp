#include "agent/envoy_keeper.hpp"

#include "base/secret.hpp"

#include <algorithm>
#include <csignal>
#include <system_error>
#include <utility>

namespace mp::agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds readiness_step{250};
constexpr seconds take_over_patience{5};
constexpr seconds stop_patience{5};
constexpr seconds settled_after{60};  // an Envoy that lived this long did not fail at its start

}  // namespace

EnvoyKeeper::EnvoyKeeper(const Settings& settings, StateDirectory& state, Wake& wake)
    : settings_(settings), state_(state), wake_(wake) {}

void EnvoyKeeper::resume() {
  bootstrap_ = state_.bootstrap();
  if (const auto record = state_.envoy()) {
    auto process = EnvoyProcess::take_over(record->process, state_.bootstrap_file());
    if (process) adopt(std::move(*process), *record);
  }
  if (bootstrap_ && !bootstrap_->proxy_type.empty() && bootstrap_->proxy_type != settings_.type) {
    bootstrap_.reset();  // of another kind of proxy: wait for the manager's
  }
  if (!process_ && bootstrap_ && wake_.stop_requests() == 0) start();
}

void EnvoyKeeper::use(Bootstrap fresh) {
  const auto stored = state_.bootstrap();
  if (!stored || !same_bootstrap(*stored, fresh)) {
    state_.keep_bootstrap(fresh);
    bootstrap_ = std::move(fresh);
  } else {
    bootstrap_ = stored;
  }
  if (process_ && running_sha256_ != sha256_hex(bootstrap_->text)) {
    log::info("the bootstrap changed, replacing Envoy",
              {{"pid", std::to_string(process_->id().pid)}});
    drain();
    end_process();
  }
  if (!process_ && wake_.stop_requests() == 0 && SteadyClock::now() >= start_at_) start();
}

TimePoint EnvoyKeeper::act() {
  if (process_ && process_->ended()) look_at_end();
  const auto now = SteadyClock::now();
  if (!process_ && bootstrap_ && now >= start_at_) start();
  if (process_ && !ready_) look_at_readiness();
  if (process_) return ready_ ? now + seconds(1) : now + readiness_step;
  return bootstrap_ ? start_at_ : now + seconds(1);
}

Observation EnvoyKeeper::observe() {
  if (!process_ || process_->ended()) return {};
  state_.trim_log();
  const auto kernel = read_process_stat(process_->id().pid);
  if (!kernel) return {};
  Measurement now{.uptime = uptime(), .process = process_->id(), .kernel = *kernel};
  Answer answer = Answer::Ready;
  if (admin_) {
    answer = admin_->ready();
    if (const auto stats = admin_->stats())
      now.envoy = *stats;
    else
      answer = Answer::Silent;
  }
  const Observation observation{health(answer, now.envoy), figures(last_, now, machine_)};
  // Without its counters a measurement would make the next rate wrong.
  if (answer != Answer::Silent) last_ = now;
  return observation;
}

void EnvoyKeeper::stop() {
  if (!process_) return;
  log::info("stopping Envoy", {{"pid", std::to_string(process_->id().pid)}});
  drain();
  end_process();
}

EnvoyCommand EnvoyKeeper::command() const {
  return {.arguments =
              {settings_.envoy, "--config-path", state_.bootstrap_file(),
               // Several proxies share a machine; nothing here uses hot restart's shared memory.
               "--disable-hot-restart"},
          .log_file = settings_.envoy_log == EnvoyLog::File ? state_.log_file() : ""};
}

void EnvoyKeeper::start() {
  const std::string sha256 = sha256_hex(bootstrap_->text);
  state_.trim_log();
  try {
    attach(EnvoyProcess::start(
               command(),
               [&](const ProcessId& id) { state_.keep_envoy({id, sha256, bootstrap_->admin}); }),
           bootstrap_->admin);
  } catch (const std::system_error& error) {
    log::error("cannot start Envoy", {{"reason", error.what()}});
    start_later();
    return;
  }
  running_sha256_ = sha256;
  log::info("Envoy started", {{"pid", std::to_string(process_->id().pid)},
                              {"proxy_id", bootstrap_->proxy_id},
                              {"admin", bootstrap_->admin.empty() ? "none" : bootstrap_->admin}});
}

void EnvoyKeeper::adopt(EnvoyProcess process, const EnvoyRecord& record) {
  const std::string pid = std::to_string(process.id().pid);
  attach(std::move(process), record.admin);
  running_sha256_ = record.bootstrap_sha256;
  if (answers_within(take_over_patience)) {
    log::info("took over the running Envoy", {{"pid", pid}});
    return;
  }
  if (wake_.stop_requests() > 0) return;
  log::warning("the running Envoy does not answer, replacing it", {{"pid", pid}});
  end_process();
}

void EnvoyKeeper::attach(EnvoyProcess process, const std::string& admin) {
  process_ = std::move(process);
  admin_ = admin.empty() ? nullptr : std::make_unique<EnvoyAdmin>(wake_, admin);
  wake_.watch_process(process_->descriptor());
  started_at_ = SteadyClock::now();
  ready_ = false;
}

void EnvoyKeeper::let_go() {
  wake_.watch_process(-1);
  process_.reset();
  admin_.reset();
  ready_ = false;
  state_.forget_envoy();
}

void EnvoyKeeper::start_later() { start_at_ = SteadyClock::now() + backoff_.next(random_share()); }

void EnvoyKeeper::look_at_end() {
  if (SteadyClock::now() - started_at_ >= settled_after) backoff_.reset();
  start_later();
  const bool to_file = settings_.envoy_log == EnvoyLog::File;
  log::error("Envoy ended by itself", {{"pid", std::to_string(process_->id().pid)},
                                       {"how", process_->collect()},
                                       {"log", to_file ? state_.log_file() : "stderr"}});
  let_go();
  news_ = true;
}

void EnvoyKeeper::look_at_readiness() {
  if (admin_ && admin_->ready() != Answer::Ready) return;
  ready_ = true;
  news_ = true;
  log::info("Envoy is ready", {{"pid", std::to_string(process_->id().pid)}});
}

bool EnvoyKeeper::answers_within(seconds time) {
  const auto deadline = SteadyClock::now() + time;
  while (admin_ && admin_->ready() == Answer::Silent) {
    if (process_->ended() || wake_.stop_requests() > 0 || SteadyClock::now() >= deadline)
      return false;
    wake_.wait(std::min(deadline, SteadyClock::now() + readiness_step));
  }
  return true;
}

// Until no client is connected, the drain time is over or a second stop signal comes.
void EnvoyKeeper::drain() {
  if (!admin_ || process_->ended() || settings_.drain_time == seconds(0)) return;
  const auto deadline = SteadyClock::now() + settings_.drain_time;
  if (!admin_->drain()) return;
  while (SteadyClock::now() < deadline && !process_->ended() && wake_.stop_requests() < 2) {
    const auto stats = admin_->stats();
    if (stats && stats->connections == 0) return;
    wake_.wait(std::min(deadline, SteadyClock::now() + readiness_step));
  }
}

void EnvoyKeeper::end_process() {
  for (const int signal : {SIGTERM, SIGKILL}) {
    if (process_->ended()) break;
    process_->send_signal(signal);
    const auto deadline = SteadyClock::now() + stop_patience;
    while (!process_->ended() && SteadyClock::now() < deadline) wake_.wait(deadline);
  }
  log::info("Envoy stopped",
            {{"pid", std::to_string(process_->id().pid)}, {"how", process_->collect()}});
  let_go();
}

}  // namespace mp::agent
