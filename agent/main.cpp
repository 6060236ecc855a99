// marchproxy-agent: reads its settings, then looks after Envoy and the manager in turn until a stop
// signal. Exit codes: 0 stopped or printed something, 1 cannot run, 2 wrong settings.
#include "agent/membership.hpp"

#include <cstdio>
#include <exception>

namespace mp::agent {
namespace {

void run(const Settings& settings) {
  Wake wake;
  StateDirectory state(settings.state_dir);
  ClusterKey key(settings.cluster_key_file);
  std::string secret_file;
  if (!settings.xds_certificate_file.empty())
    secret_file =
        state.keep_client_certificate(settings.xds_certificate_file, settings.xds_key_file);
  EnvoyKeeper envoy(settings, state, wake);
  ControlPlane control_plane(settings, std::move(secret_file), wake);
  Membership membership(control_plane, key, envoy);
  envoy.resume();
  while (wake.stop_requests() == 0) {
    const TimePoint envoy_due = envoy.act();
    if (envoy.take_news()) membership.report_soon();
    const TimePoint manager_due = membership.act();
    wake.wait(std::min(envoy_due, manager_due));
  }
  envoy.stop();
}

int command(int argc, const char* const* argv) {
  const Command wanted = read_command(argc, argv);
  if (const auto* print = std::get_if<Print>(&wanted)) {
    std::fputs(print->text.c_str(), stdout);
    return 0;
  }
  const auto& settings = std::get<Settings>(wanted);
  log::configure(settings.log_level, settings.log_format);
  run(settings);
  return 0;
}

int refuse(const char* text, int code) {
  std::fprintf(stderr, "marchproxy-agent: %s\n", text);
  return code;
}

}  // namespace
}  // namespace mp::agent

int main(int argc, char** argv) {
  using namespace mp::agent;
  try {
    return command(argc, argv);
  } catch (const SettingsError& error) {
    return refuse(error.what(), 2);
  } catch (const std::exception& error) {
    return refuse(error.what(), 1);
  }
}
