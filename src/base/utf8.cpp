#include "base/utf8.hpp"

#include <boost/locale/utf.hpp>

namespace mp {
namespace {

namespace utf = boost::locale::utf;
using Utf8 = utf::utf_traits<char>;

constexpr utf::code_point space = ' ';
constexpr utf::code_point first_after_controls = 0xa0;  // U+0080 to U+009F are controls too

bool is_control(utf::code_point point) {
  return point < space || (point >= 0x7f && point < first_after_controls);
}

}  // namespace

bool is_utf8(std::string_view text) {
  for (auto at = text.begin(); at != text.end();) {
    if (!utf::is_valid_codepoint(Utf8::decode(at, text.end()))) return false;
  }
  return true;
}

std::string ascii_lower(std::string_view text) {
  std::string lower(text);
  for (char& letter : lower) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return lower;
}

std::string one_line(std::string_view foreign, std::size_t longest) {
  std::string line;
  for (auto at = foreign.begin(); at != foreign.end();) {
    const auto begin = at;
    const utf::code_point point = Utf8::decode(at, foreign.end());
    std::string_view letter(begin, at);
    if (!utf::is_valid_codepoint(point)) {
      at = begin + 1;  // what follows may be good
      letter = "?";
    } else if (is_control(point)) {
      letter = " ";
    }
    if (line.size() + letter.size() > longest) break;
    line.append(letter);
  }
  return line;
}

}  // namespace mp
