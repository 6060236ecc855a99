#include "agent/envoy_process.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

namespace mp::agent {
namespace {

[[noreturn]] void fail(int number, const std::string& what) {
  throw std::system_error(number, std::generic_category(), what);
}

// glibc 2.36 declares pidfd_open and pidfd_send_signal without C linkage.
int open_pidfd(pid_t pid) { return static_cast<int>(syscall(SYS_pidfd_open, pid, 0)); }

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { reset(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }
  void reset() {
    if (number_ >= 0) close(std::exchange(number_, -1));
  }

 private:
  int number_;
};

// Between fork and exec: only async-signal-safe calls (signal-safety(7)), no allocation.
[[noreturn]] void run_child(int agent, int output, char* const* arguments) {
  setsid();
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  dup2(nothing, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  char go = 0;
  if (read(agent, &go, 1) != 1) _exit(1);  // the agent died before it knew of us
  execv(arguments[0], arguments);
  const int failure = errno;
  [[maybe_unused]] const auto told = write(agent, &failure, sizeof failure);
  _exit(127);
}

int open_log(const std::string& file) {
  const int opened =
      file.empty()
          ? fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)
          : open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (opened < 0) fail(errno, "cannot open " + (file.empty() ? "standard error" : file));
  return opened;
}

// Lets the child go on and waits until it has become Envoy; the errno of exec, or 0.
int release(int child) {
  const char go = 1;
  if (send(child, &go, 1, MSG_NOSIGNAL) != 1) return errno;
  int failure = 0;
  ssize_t got = 0;
  do {
    got = read(child, &failure, sizeof failure);
  } while (got < 0 && errno == EINTR);
  return got == sizeof failure ? failure : 0;
}

}  // namespace

EnvoyProcess EnvoyProcess::start(const EnvoyCommand& command,
                                 const std::function<void(const ProcessId&)>& record) {
  std::vector<char*> arguments;
  arguments.reserve(command.arguments.size() + 1);
  for (const std::string& each : command.arguments)
    arguments.push_back(const_cast<char*>(each.c_str()));
  arguments.push_back(nullptr);
  const Descriptor output(open_log(command.log_file));
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    fail(errno, "socketpair");
  Descriptor ours(ends[0]);
  Descriptor theirs(ends[1]);
  const pid_t pid = fork();
  if (pid < 0) fail(errno, "fork");
  if (pid == 0) {
    close(ours.get());
    run_child(theirs.get(), output.get(), arguments.data());
  }
  theirs.reset();
  const auto stat = read_process_stat(pid);
  EnvoyProcess process({pid, stat ? stat->start_time : 0}, open_pidfd(pid));
  try {
    if (process.descriptor_ < 0) fail(errno, "pidfd_open");
    record(process.id_);
    if (const int failure = release(ours.get()); failure != 0) {
      fail(failure, "cannot run " + command.arguments.front());
    }
  } catch (...) {
    ours.reset();
    waitpid(pid, nullptr, 0);
    throw;
  }
  return process;
}

std::optional<EnvoyProcess> EnvoyProcess::take_over(const ProcessId& id,
                                                    const std::string& bootstrap) {
  // The descriptor first: what is checked afterwards is then checked of the process it holds.
  EnvoyProcess process(id, open_pidfd(id.pid));
  if (process.descriptor_ < 0) return std::nullopt;
  const auto stat = read_process_stat(id.pid);
  if (!stat || stat->start_time != id.start_time || stat->state == 'Z') return std::nullopt;
  const auto arguments = read_arguments(id.pid);
  if (std::ranges::find(arguments, bootstrap) == arguments.end() || process.ended())
    return std::nullopt;
  return process;
}

EnvoyProcess::EnvoyProcess(EnvoyProcess&& other) noexcept
    : id_(other.id_), descriptor_(std::exchange(other.descriptor_, -1)) {}

EnvoyProcess& EnvoyProcess::operator=(EnvoyProcess&& other) noexcept {
  std::swap(id_, other.id_);
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

EnvoyProcess::~EnvoyProcess() {
  if (descriptor_ >= 0) close(descriptor_);
}

bool EnvoyProcess::ended() const {
  pollfd watched{descriptor_, POLLIN, 0};
  return poll(&watched, 1, 0) > 0;
}

std::string EnvoyProcess::collect() {
  int status = 0;
  if (waitpid(id_.pid, &status, WNOHANG) != id_.pid) return "ended";
  if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
  return "exit code " + std::to_string(WEXITSTATUS(status));
}

void EnvoyProcess::send_signal(int number) const {
  syscall(SYS_pidfd_send_signal, descriptor_, number, nullptr, 0);
}

}  // namespace mp::agent
