// What the kernel tells of a process and of the machine (proc(5)). Used to recognise an Envoy again
// and to measure it. Reads only.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mp::agent {

// A pid alone may be given to another process later; with its start time it is one process for
// ever.
struct ProcessId {
  pid_t pid = 0;
  std::uint64_t start_time = 0;  // clock ticks after boot
  bool operator==(const ProcessId&) const = default;
};

struct ProcessStat {
  char state = '?';  // 'Z' is dead and not yet collected
  std::uint64_t start_time = 0;
  std::uint64_t cpu_ticks = 0;  // user and system
  std::uint64_t resident_pages = 0;
};

struct Machine {
  double ticks_per_second = 100;
  double processors = 1;
  double pages = 1;  // physical memory
};

Machine this_machine();

// Seconds since boot, on the clock that start times are counted on.
double uptime();

// One line of /proc/<pid>/stat; the command in it may hold spaces and brackets.
std::optional<ProcessStat> parse_process_stat(std::string_view line);

// nullopt when there is no such process.
std::optional<ProcessStat> read_process_stat(pid_t pid);

// The arguments the process was started with; empty when there is no such process.
std::vector<std::string> read_arguments(pid_t pid);

}  // namespace mp::agent
