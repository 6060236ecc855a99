// One Envoy process: started here, or started by an earlier agent and taken over. It lives in a
// session of its own and outlives the agent; the destructor only lets go of it. Linux only (pidfd).
#pragma once

#include "agent/process_facts.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace mp::agent {

struct EnvoyCommand {
  std::vector<std::string> arguments;  // the first is the program's absolute path
  std::string log_file;                // appended to; empty: the agent's own stderr
};

class EnvoyProcess {
 public:
  // Starts Envoy. `record` is called with its id before it runs: when the agent dies before record
  // returns, the process ends without having run, so that no Envoy is ever unknown. Throws
  // std::system_error when it cannot be started.
  static EnvoyProcess start(const EnvoyCommand& command,
                            const std::function<void(const ProcessId&)>& record);

  // The process that was recorded, when it still runs and `bootstrap` is among its arguments.
  static std::optional<EnvoyProcess> take_over(const ProcessId& id, const std::string& bootstrap);

  EnvoyProcess(EnvoyProcess&& other) noexcept;
  EnvoyProcess& operator=(EnvoyProcess&& other) noexcept;
  ~EnvoyProcess();

  const ProcessId& id() const { return id_; }
  int descriptor() const { return descriptor_; }  // a pidfd: readable once the process has ended
  bool ended() const;

  // "exit code 1" or "signal 9"; "ended" for a process that was taken over. Call once, after its
  // end.
  std::string collect();

  void send_signal(int number) const;

 private:
  EnvoyProcess(ProcessId id, int descriptor) : id_(id), descriptor_(descriptor) {}

  ProcessId id_;
  int descriptor_ = -1;
};

}  // namespace mp::agent
