#include "cli/difference.hpp"

#include <algorithm>

namespace mp::cli {
namespace {

constexpr std::size_t around = 3;
// Longer texts are shown as removed and added whole: the table below grows with their product.
constexpr std::size_t most_lines = 4000;

using Lines = std::vector<std::string_view>;

Lines lines_of(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

struct Line {
  char sign;  // ' ', '-' or '+'
  std::string_view text;
};

std::vector<Line> replaced_whole(const Lines& before, const Lines& after) {
  std::vector<Line> script;
  for (const auto& line : before) script.push_back({'-', line});
  for (const auto& line : after) script.push_back({'+', line});
  return script;
}

// Along a longest common subsequence; removals before additions.
std::vector<Line> edit_script(const Lines& before, const Lines& after) {
  if (before.size() > most_lines || after.size() > most_lines) return replaced_whole(before, after);
  const std::size_t width = after.size() + 1;
  std::vector<unsigned short> common((before.size() + 1) * width, 0);
  for (std::size_t left = before.size(); left-- > 0;) {
    for (std::size_t right = after.size(); right-- > 0;) {
      common[left * width + right] =
          before[left] == after[right]
              ? static_cast<unsigned short>(common[(left + 1) * width + right + 1] + 1)
              : std::max(common[(left + 1) * width + right], common[left * width + right + 1]);
    }
  }
  std::vector<Line> script;
  std::size_t left = 0;
  std::size_t right = 0;
  while (left < before.size() || right < after.size()) {
    const bool both = left < before.size() && right < after.size();
    if (both && before[left] == after[right]) {
      script.push_back({' ', before[left++]});
      ++right;
    } else if (right == after.size() ||
               (both && common[(left + 1) * width + right] >= common[left * width + right + 1])) {
      script.push_back({'-', before[left++]});
    } else {
      script.push_back({'+', after[right++]});
    }
  }
  return script;
}

// The parts of the script that have changes in them, with what is around them.
std::vector<std::pair<std::size_t, std::size_t>> hunks_of(const std::vector<Line>& script) {
  std::vector<std::pair<std::size_t, std::size_t>> hunks;
  for (std::size_t at = 0; at < script.size(); ++at) {
    if (script[at].sign == ' ') continue;
    const std::size_t begin = at < around ? 0 : at - around;
    const std::size_t end = std::min(at + around + 1, script.size());
    if (!hunks.empty() && begin <= hunks.back().second)
      hunks.back().second = end;
    else
      hunks.emplace_back(begin, end);
  }
  return hunks;
}

// "3,4": where a side begins, counted from 1, and how many lines of it follow.
std::string range_text(std::size_t begin, std::size_t count) {
  return std::to_string(count == 0 ? begin : begin + 1) + "," + std::to_string(count);
}

}  // namespace

std::vector<std::string> difference(std::string_view before, std::string_view after) {
  const auto script = edit_script(lines_of(before), lines_of(after));
  std::vector<std::string> lines;
  const auto count = [&](std::size_t from, std::size_t to, char other) {
    return static_cast<std::size_t>(
        std::count_if(script.begin() + static_cast<std::ptrdiff_t>(from),
                      script.begin() + static_cast<std::ptrdiff_t>(to),
                      [other](const Line& line) { return line.sign != other; }));
  };
  for (const auto& [begin, end] : hunks_of(script)) {
    lines.push_back("@@ -" + range_text(count(0, begin, '+'), count(begin, end, '+')) + " +" +
                    range_text(count(0, begin, '-'), count(begin, end, '-')) + " @@");
    for (std::size_t at = begin; at < end; ++at)
      lines.push_back(script[at].sign + std::string(script[at].text));
  }
  return lines;
}

}  // namespace mp::cli
