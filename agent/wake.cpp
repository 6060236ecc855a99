#include "agent/wake.hpp"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <system_error>

namespace mp::agent {

Wake::Wake() {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  sigset_t blocked = stop;
  sigaddset(&blocked, SIGPIPE);  // a peer that is gone is an error of the write, not our end
  sigprocmask(SIG_BLOCK, &blocked, nullptr);
  signals_ = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals_ < 0) throw std::system_error(errno, std::generic_category(), "signalfd");
}

Wake::~Wake() { close(signals_); }

void Wake::wait(TimePoint deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - SteadyClock::now());
  std::array<pollfd, 2> watched{pollfd{signals_, POLLIN, 0}, pollfd{process_, POLLIN, 0}};
  poll(watched.data(), watched.size(), static_cast<int>(std::clamp<long>(left.count(), 0, 60'000)));
  signalfd_siginfo info{};
  while (read(signals_, &info, sizeof info) == sizeof info) ++stop_requests_;
}

}  // namespace mp::agent
