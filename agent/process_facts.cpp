#include "agent/process_facts.hpp"

#include <unistd.h>

#include <charconv>
#include <ctime>
#include <fstream>
#include <iterator>

namespace mp::agent {
namespace {

std::string read_whole(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

}  // namespace

Machine this_machine() {
  return {.ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK)),
          .processors = static_cast<double>(sysconf(_SC_NPROCESSORS_ONLN)),
          .pages = static_cast<double>(sysconf(_SC_PHYS_PAGES))};
}

double uptime() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

std::optional<ProcessStat> parse_process_stat(std::string_view line) {
  const auto command_end = line.rfind(')');
  if (command_end == std::string_view::npos || command_end + 2 > line.size()) return std::nullopt;
  // Field 3 of the manual page, the state, is the first one here.
  const auto fields = split(line.substr(command_end + 2), ' ');
  if (fields.size() < 22 || fields[0].size() != 1) return std::nullopt;
  return ProcessStat{.state = fields[0][0],
                     .start_time = number(fields[22 - 3]),
                     .cpu_ticks = number(fields[14 - 3]) + number(fields[15 - 3]),
                     .resident_pages = number(fields[24 - 3])};
}

std::optional<ProcessStat> read_process_stat(pid_t pid) {
  return parse_process_stat(read_whole("/proc/" + std::to_string(pid) + "/stat"));
}

std::vector<std::string> read_arguments(pid_t pid) {
  const std::string text = read_whole("/proc/" + std::to_string(pid) + "/cmdline");
  const auto parts = split(text, '\0');
  return {parts.begin(), parts.end()};
}

}  // namespace mp::agent
