// The manager on a clock that a test sets, for what happens at the edges of validity without
// waiting for them. As marchproxy-manager serve; each line on standard input moves its clock by so
// many milliseconds (may be negative). Standard output then says "at" and the time.
#include "app/manager.hpp"
#include "settings/command.hpp"

#include <sodium.h>

#include <atomic>
#include <cstdio>
#include <iostream>
#include <string>

namespace {

class MovedClock final : public mp::Clock {
 public:
  mp::Time now() const override { return system_.now() + mp::Milliseconds(moved_.load()); }
  void move(std::int64_t by) { moved_ += by; }

 private:
  mp::SystemClock system_;
  std::atomic<std::int64_t> moved_{0};
};

// Until standard input ends.
int serve(const mp::Settings& settings) {
  MovedClock clock;
  mp::CurlFetch fetch;
  mp::Manager manager(settings, clock, fetch);
  manager.start();
  std::puts("ready");
  std::fflush(stdout);
  for (std::int64_t by = 0; std::cin >> by;) {
    clock.move(by);
    std::printf("at %s\n", mp::to_string(clock.now()).c_str());
    std::fflush(stdout);
  }
  manager.stop();
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (::sodium_init() < 0) return 1;
  try {
    const mp::Program program{
        .name = "manager-on-clock", .version = "0", .help = "For tests.", .prints = {}};
    const auto command =
        mp::read_command(program, {arguments + 1, arguments + count}, mp::process_environment());
    return serve(std::get<mp::Settings>(command));
  } catch (const std::exception& fault) {
    std::fprintf(stderr, "manager-on-clock: %s\n", fault.what());
    return 1;
  }
}
