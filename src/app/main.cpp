#include "api/error_reference.hpp"
#include "api/openapi.hpp"
#include "app/manager.hpp"
#include "base/log.hpp"
#include "base/version.hpp"
#include "settings/command.hpp"

#include <sodium.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>

// jemalloc(3), "TUNING": what is free goes back to the system although nobody allocates any more.
extern "C" const char* const malloc_conf = "background_thread:true";

namespace {

constexpr int wrong_settings = 2;
constexpr rlim_t wanted_descriptors = 65536;

int complain(const std::string& line, int status) {
  std::fprintf(stderr, "marchproxy-manager: %s\n", line.c_str());
  return status;
}

mp::Program program() {
  return {.name = "marchproxy-manager",
          .version = std::string(mp::version),
          .help = "Control plane for fleets of Envoy proxies: REST API and xDS in one process.",
          .prints = {{"openapi", "Print the OpenAPI document.",
                      [] { return mp::api::openapi_json() + "\n"; }},
                     {"errors", "Print the error codes as Markdown.", mp::api::error_reference}}};
}

// Ten thousand connections need more descriptors than a shell allows by default.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted_descriptors) return;
  limit.rlim_cur = limit.rlim_max == RLIM_INFINITY ? wanted_descriptors
                                                   : std::min(limit.rlim_max, wanted_descriptors);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

void tell_first_start(const mp::FirstStart& first) {
  if (first.admin_password) std::printf("admin password: %s\n", first.admin_password->c_str());
  if (first.cluster_key) std::printf("default cluster key: %s\n", first.cluster_key->c_str());
  std::fflush(stdout);
}

int serve(const mp::Settings& settings) {
  mp::log::configure(settings.log.level, settings.log.format);
  raise_descriptor_limit();
  std::signal(SIGPIPE, SIG_IGN);
  const sigset_t signals = stop_signals();
  ::pthread_sigmask(SIG_BLOCK, &signals,
                    nullptr);  // before any thread, so that only sigwait takes them
  const mp::SystemClock clock;
  mp::CurlFetch fetch;
  mp::Manager manager(settings, clock, fetch);
  tell_first_start(manager.first());
  manager.start();
  mp::log::info("ready", {{"http_port", std::to_string(manager.http_port())},
                          {"xds_port", std::to_string(manager.xds_port())},
                          {"data_dir", settings.data_dir}});
  int signal = 0;
  ::sigwait(&signals, &signal);
  mp::log::info("stopping", {{"signal", std::to_string(signal)}});
  manager.stop();
  mp::log::info("stopped");
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (::sodium_init() < 0) return complain("libsodium cannot start", 1);
  std::variant<mp::Settings, mp::Print> command;
  try {
    command =
        mp::read_command(program(), {arguments + 1, arguments + count}, mp::process_environment());
    if (const auto* print = std::get_if<mp::Print>(&command)) {
      std::fputs(print->text.c_str(), stdout);
      return 0;
    }
    return serve(std::get<mp::Settings>(command));
  } catch (const mp::Error& error) {
    std::string line = error.message;
    if (line.empty() && !error.violations.empty()) {
      line = error.violations.front().field + ": " + error.violations.front().issue;
    }
    return complain(error.log.empty() ? line : line + " (" + error.log + ")",
                    error.code == mp::Code::Validation ? wrong_settings : 1);
  } catch (const std::exception& fault) {
    return complain(fault.what(), 1);
  }
}
