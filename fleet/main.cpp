// marchproxy-fleet: a simulated fleet of proxies. marchctl fleet simulate runs it, so that marchctl
// itself is not linked with Envoy's API.
#include "fleet/fleet.hpp"

#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <exception>

namespace {

volatile std::sig_atomic_t stopped = 0;

void on_signal(int) { stopped = 1; }

// A stream takes a descriptor.
void raise_limit_of_files() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int count, char** arguments) {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  std::signal(SIGPIPE, SIG_IGN);
  raise_limit_of_files();
  try {
    const auto parsed = mp::fleet::parse(count, arguments);
    if (parsed.exit) return *parsed.exit;
    mp::fleet::Report report{parsed.options.form};
    return mp::fleet::Fleet{parsed.options, report, [] { return stopped != 0; }}.run();
  } catch (const std::exception& fault) {
    std::fprintf(stderr, "marchproxy-fleet: %s\n", fault.what());
    return 1;
  }
}
