#include "base/time.hpp"

namespace mp {

namespace {

// Two digits.
void put(std::string& text, std::size_t at, unsigned value) {
  text[at] = static_cast<char>('0' + value / 10 % 10);
  text[at + 1] = static_cast<char>('0' + value % 10);
}

}  // namespace

std::string to_string(Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time - day).count();
  const auto second_of_day = static_cast<unsigned>(seconds);
  const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
  std::string text = "0000-00-00T00:00:00Z";
  put(text, 0, year / 100);
  put(text, 2, year);
  put(text, 5, static_cast<unsigned>(date.month()));
  put(text, 8, static_cast<unsigned>(date.day()));
  put(text, 11, second_of_day / 3600);
  put(text, 14, second_of_day / 60 % 60);
  put(text, 17, second_of_day % 60);
  return text;
}

namespace {

// The digits at `at`, or nullopt when one of them is no digit.
std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return std::nullopt;
  int value = 0;
  for (const char letter : text.substr(at, count)) {
    if (letter < '0' || letter > '9') return std::nullopt;
    value = value * 10 + (letter - '0');
  }
  return value;
}

std::optional<std::chrono::minutes> offset(std::string_view text) {
  if (text == "Z" || text == "z") return std::chrono::minutes{0};
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  const auto hours = digits(text, 1, 2);
  const auto minutes = digits(text, 4, 2);
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const std::chrono::minutes value{*hours * 60 + *minutes};
  return text[0] == '-' ? -value : value;
}

}  // namespace

std::optional<Time> parse_time(std::string_view text) {
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' ||
      (text[10] != 'T' && text[10] != 't') || text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  const auto year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  const auto hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  std::size_t at = 19;
  std::int64_t thousandths = 0;
  if (text[at] == '.') {
    std::int64_t unit = 100;
    const std::size_t first = ++at;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, unit /= 10) {
      thousandths += (text[at] - '0') * unit;
    }
    if (at == first) return std::nullopt;
  }
  const auto zone = offset(text.substr(at));
  if (!zone) return std::nullopt;
  return std::chrono::sys_days{date} + std::chrono::hours{*hour} + std::chrono::minutes{*minute} +
         std::chrono::seconds{*second} + Milliseconds{thousandths} - *zone;
}

}  // namespace mp
