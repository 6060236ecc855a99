// One event for a syslog server and its text as RFC 5424 has it. Pure. Every value may come from
// strangers: what would break the form or a terminal is replaced here, whatever the caller did.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mp::syslog {

enum class Facility { Authorization = 10, Local0 = 16 };
enum class Severity { Warning = 4, Information = 6, Debug = 7 };

using Microtime = std::chrono::sys_time<std::chrono::microseconds>;

struct Record {
  Facility facility = Facility::Local0;
  Severity severity = Severity::Information;
  Microtime time;
  std::string host;     // HOSTNAME
  std::string process;  // PROCID
  std::string kind;     // MSGID, and the name of the structured data
  // Names as in the code; the most important first.
  std::vector<std::pair<std::string_view, std::string>> data{};
  std::string text{};
};

// What a server takes at least and should take (RFC 5424 §6.1, RFC 5426 §3.2), and what is sent
// over streams.
inline constexpr std::size_t most_in_datagram = 2048, most_in_stream = 8192;

// "<86>1 2026-01-01T00:00:00.000000Z host marchproxy process kind [kind@32473 name="value"] text",
// at most `most` bytes, which are 512 or more. What is too long is shortened: first the longest
// values, down to 64 bytes, then the text; at last data are left out from the end. UTF-8 is never
// cut within a character.
std::string render(const Record& record, std::size_t most);

// Valid UTF-8 without control characters: bytes that are not become U+FFFD, control characters
// %0A. At most `most` bytes, "..." at the end when something was cut off.
std::string clean(std::string_view text, std::size_t most);

}  // namespace mp::syslog
