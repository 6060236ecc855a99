#include "store/notice.hpp"

#include <charconv>

namespace mp {
namespace {

// Up to the next mark, which goes too.
std::string_view take(std::string_view& text, char mark) {
  const auto end = text.find(mark);
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

}  // namespace

std::string to_text(const Notice& notice) {
  std::string text = notice.sender + " " + std::to_string(notice.revision) + " ";
  for (const std::string& noun : notice.stale) text.append(noun).append(",");
  if (!notice.stale.empty()) text.pop_back();
  return text;
}

std::optional<Notice> parse_notice(std::string_view text) {
  Notice notice;
  notice.sender = take(text, ' ');
  const std::string_view number = take(text, ' ');
  const auto [end, failed] =
      std::from_chars(number.data(), number.data() + number.size(), notice.revision);
  if (notice.sender.empty() || failed != std::errc() || end != number.data() + number.size())
    return std::nullopt;
  while (!text.empty()) notice.stale.emplace(take(text, ','));
  return notice;
}

}  // namespace mp
