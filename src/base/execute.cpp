#include "base/execute.hpp"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

extern char** environ;

namespace mp {
namespace {

// Settings may hold secrets.
std::vector<char*> environment_without_ours() {
  std::vector<char*> kept;
  for (char** each = environ; *each; ++each) {
    if (!std::string_view(*each).starts_with("MARCHPROXY_")) kept.push_back(*each);
  }
  kept.push_back(nullptr);
  return kept;
}

// What the program is given besides its standard ones: nothing. Accepted connections, which Asio
// lets programs inherit, would not end before it does.
class StandardDescriptorsAlone {
 public:
  StandardDescriptorsAlone() {
    if (::posix_spawn_file_actions_init(&actions_) != 0) throw std::bad_alloc();
    if (::posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1) == 0) return;
    ::posix_spawn_file_actions_destroy(&actions_);
    throw std::bad_alloc();
  }
  ~StandardDescriptorsAlone() { ::posix_spawn_file_actions_destroy(&actions_); }
  StandardDescriptorsAlone(const StandardDescriptorsAlone&) = delete;
  StandardDescriptorsAlone& operator=(const StandardDescriptorsAlone&) = delete;

  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

constexpr std::chrono::milliseconds glance{50};  // between looks whether to stop
constexpr std::chrono::seconds last_grace{1};

// Whether the process ended in time.
bool wait_for(pid_t child, std::chrono::milliseconds timeout, const std::atomic<bool>& stopping) {
  using Clock = std::chrono::steady_clock;
  const int handle = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
  if (handle < 0) return false;
  pollfd waiting{.fd = handle, .events = POLLIN, .revents = 0};
  auto deadline = Clock::now() + timeout;
  bool is_cut_short = false, has_ended = false;
  while (!has_ended && Clock::now() < deadline) {
    if (stopping && !std::exchange(is_cut_short, true))
      deadline = std::min(deadline, Clock::now() + last_grace);
    has_ended = ::poll(&waiting, 1, static_cast<int>(glance.count())) == 1;
  }
  ::close(handle);
  return has_ended;
}

}  // namespace

std::string execute(const std::vector<std::string>& command, std::chrono::milliseconds timeout,
                    const std::atomic<bool>& stopping) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& each : command) arguments.push_back(const_cast<char*>(each.c_str()));
  arguments.push_back(nullptr);
  auto environment = environment_without_ours();
  const StandardDescriptorsAlone actions;
  pid_t child = 0;
  const int failed = ::posix_spawn(&child, command.front().c_str(), actions.get(), nullptr,
                                   arguments.data(), environment.data());
  if (failed != 0) return command.front() + ": " + std::strerror(failed);
  const bool in_time = wait_for(child, timeout, stopping);
  if (!in_time) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!in_time) return command.front() + ": took too long";
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return command.front() + (WIFEXITED(status)
                                ? ": ended with " + std::to_string(WEXITSTATUS(status))
                                : ": ended by signal " + std::to_string(WTERMSIG(status)));
}

}  // namespace mp
