#include "syslog/record.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

namespace mp::syslog {
namespace {

constexpr std::string_view application = "marchproxy";
// The enterprise number that is set aside for use without one of one's own (RFC 5612).
constexpr std::string_view enterprise = "@32473";
constexpr std::string_view replacement = "\xEF\xBF\xBD", byte_order_mark = "\xEF\xBB\xBF";
constexpr std::string_view ellipsis = "...";
constexpr std::array<std::size_t, 4> value_limits{1024, 512, 256, 64};
constexpr std::size_t text_limit = 1024;

bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

// The bytes of the character at the front; 0 when there is no valid one (RFC 3629: neither
// overlong forms nor surrogates, nothing above U+10FFFF).
std::size_t character(std::string_view text) {
  const auto at = [&](std::size_t index) { return static_cast<unsigned char>(text[index]); };
  const unsigned char first = at(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xC2 && first < 0xE0   ? 2
                             : first >= 0xE0 && first < 0xF0 ? 3
                             : first >= 0xF0 && first < 0xF5 ? 4
                                                             : 0;
  if (length == 0 || text.size() < length) return 0;
  if (!std::ranges::all_of(text.substr(1, length - 1), continues)) return 0;
  if (first == 0xE0 && at(1) < 0xA0) return 0;
  if (first == 0xED && at(1) >= 0xA0) return 0;
  if (first == 0xF0 && at(1) < 0x90) return 0;
  if (first == 0xF4 && at(1) >= 0x90) return 0;
  return length;
}

// C0, DEL and, as their two bytes, C1.
bool is_control(std::string_view letter) {
  const auto first = static_cast<unsigned char>(letter[0]);
  if (letter.size() == 1) return first < 0x20 || first == 0x7F;
  return letter.size() == 2 && first == 0xC2 && static_cast<unsigned char>(letter[1]) < 0xA0;
}

std::string hexadecimal(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    char part[4];
    std::snprintf(part, sizeof part, "%%%02X", static_cast<unsigned char>(byte));
    text += part;
  }
  return text;
}

// PRINTUSASCII of the header's fields; "-" for nothing.
std::string header(std::string_view text, std::size_t most) {
  std::string field(text.substr(0, most));
  std::ranges::replace_if(field, [](char letter) { return letter <= ' ' || letter > '~'; }, '?');
  return field.empty() ? "-" : field;
}

std::string timestamp(Microtime time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  const std::time_t seconds = whole.time_since_epoch().count();
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[48];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", parts.tm_year + 1900,
                parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                static_cast<int>((time - whole).count()));
  return text;
}

std::string escaped(std::string_view value) {
  std::string text;
  for (const char letter : value) {
    if (letter == '"' || letter == '\\' || letter == ']') text += '\\';
    text += letter;
  }
  return text;
}

std::string head_of(const Record& record) {
  const int priority = static_cast<int>(record.facility) * 8 + static_cast<int>(record.severity);
  return "<" + std::to_string(priority) + ">1 " + timestamp(record.time) + " " +
         header(record.host, 255) + " " + std::string(application) + " " +
         header(record.process, 128) + " " + header(record.kind, 32) + " ";
}

std::vector<std::string> parameters(const Record& record, std::size_t value_limit) {
  std::vector<std::string> made;
  for (const auto& [name, value] : record.data)
    made.push_back(" " + std::string(name) + "=\"" + escaped(clean(value, value_limit)) + "\"");
  return made;
}

std::size_t size_of(const std::vector<std::string>& parts) {
  std::size_t size = 0;
  for (const std::string& part : parts) size += part.size();
  return size;
}

// Text beyond ASCII is announced by a byte order mark (RFC 5424 §6.4).
std::string message(std::string_view text, std::size_t most) {
  const std::size_t mark = byte_order_mark.size();
  if (most < mark + ellipsis.size() + 1) return "";
  const std::string body = clean(text, std::min(most - mark, text_limit));
  const bool plain =
      std::ranges::all_of(body, [](char letter) { return static_cast<signed char>(letter) >= 0; });
  return (plain ? "" : std::string(byte_order_mark)) + body;
}

}  // namespace

std::string clean(std::string_view text, std::size_t most) {
  std::string made;
  std::size_t last_fit = 0;  // of what leaves room for the ellipsis
  while (!text.empty()) {
    const std::size_t length = character(text);
    const std::string_view letter = text.substr(0, std::max<std::size_t>(length, 1));
    if (length == 0)
      made += replacement;
    else
      made += is_control(letter) ? hexadecimal(letter) : std::string(letter);
    text.remove_prefix(letter.size());
    if (made.size() > most) {
      made.resize(last_fit);
      return made += ellipsis.substr(0, most);
    }
    if (made.size() + ellipsis.size() <= most) last_fit = made.size();
  }
  return made;
}

std::string render(const Record& record, std::size_t most) {
  std::string line = head_of(record);
  const std::string name = "[" + header(record.kind, 26) + std::string(enterprise);
  std::size_t room = most - std::min(most, line.size() + name.size() + 1);
  std::vector<std::string> parts;
  for (const std::size_t limit : value_limits) {
    parts = parameters(record, limit);
    if (size_of(parts) + text_limit <= room) break;
  }
  while (!parts.empty() && size_of(parts) > room) parts.pop_back();
  room -= size_of(parts);
  line += name;
  for (const std::string& part : parts) line += part;
  line += "]";
  const std::string text = room > 0 ? message(record.text, room - 1) : "";
  return text.empty() ? line : line + " " + text;
}

}  // namespace mp::syslog
