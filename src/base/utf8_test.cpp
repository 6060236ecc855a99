// What is left of the words of others.
#include "base/utf8.hpp"

#include <gtest/gtest.h>

using namespace mp;

namespace {

TEST(OneLine, keeps_text) {
  EXPECT_EQ(one_line("no such name: b\u00fccher.example"), "no such name: b\u00fccher.example");
  EXPECT_EQ(one_line(""), "");
}

TEST(OneLine, has_no_controls) {
  EXPECT_EQ(one_line("a\tb\r\nc\x1b[1m\x7f"), "a b  c [1m ");
  EXPECT_EQ(one_line("a\u0085b"), "a b");
  EXPECT_EQ(one_line(std::string_view("a\0b", 3)), "a b");
}

TEST(OneLine, is_text_whatever_came) {
  EXPECT_EQ(one_line("a\xff\xc3"), "a??");
  EXPECT_EQ(one_line("\xe2\x82z"), "??z");     // cut off in the middle
  EXPECT_EQ(one_line("\xed\xa0\x80"), "???");  // half of a surrogate pair
}

TEST(OneLine, is_cut_between_characters) {
  EXPECT_EQ(one_line("abc", 3), "abc");
  EXPECT_EQ(one_line("abc", 2), "ab");
  EXPECT_EQ(one_line("ab\u20ac", 4), "ab");
  EXPECT_EQ(one_line("ab\u20ac", 5), "ab\u20ac");
}

}  // namespace
