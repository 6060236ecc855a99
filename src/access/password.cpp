#include "access/password.hpp"

#include "access/common_passwords.hpp"

#include <algorithm>
#include <array>

namespace mp {
namespace {

constexpr std::size_t shortest = 12;
constexpr std::size_t longest = 128;

std::string lower(std::string_view text) {
  std::string copy(text);
  for (char& letter : copy) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return copy;
}

// Code points of UTF-8.
std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char letter) { return (static_cast<unsigned char>(letter) & 0xC0) != 0x80; }));
}

// A short piece said again and again: "aaaaaaaaaaaa", "abcabcabcabc".
bool is_repetition(std::string_view text) {
  constexpr std::size_t longest_piece = 4;
  for (std::size_t piece = 1; piece <= longest_piece; ++piece) {
    if (text.substr(piece) == text.substr(0, text.size() - piece)) return true;
  }
  return false;
}

// A run along the alphabet, the digits or a keyboard, in either direction.
bool is_run(const std::string& text) {
  static constexpr std::array<std::string_view, 4> rows{
      "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
      "012345678901234567890123456789012345678901234567890",
      "1234567890qwertyuiopasdfghjklzxcvbnm1234567890",
      "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/1qaz2wsx"};
  const std::string backwards(text.rbegin(), text.rend());
  return std::ranges::any_of(rows, [&](std::string_view row) {
    return row.find(text) != std::string_view::npos ||
           row.find(backwards) != std::string_view::npos;
  });
}

bool is_common(const std::string& text) {
  return std::ranges::binary_search(common_passwords, std::string_view(text)) ||
         is_repetition(text) || is_run(text);
}

}  // namespace

void check_password_rules(const Secret& password, std::string_view username,
                          const std::string& field, Violations& violations) {
  const std::string text = lower(password.reveal());
  const std::size_t length = characters(text);
  const auto refuse = [&](std::string issue) {
    violations.push_back({field, std::move(issue), std::nullopt});
  };
  if (length < shortest || length > longest) return refuse("Must be 12 to 128 characters long");
  if (text == lower(username)) return refuse("Must not be the user name");
  if (is_common(text)) refuse("Is one of the commonest passwords");
}

}  // namespace mp
