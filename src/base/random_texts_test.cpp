#include "base/random_texts.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace mp {
namespace {

TEST(RandomTexts, NeverComeTwiceAndUseEveryLetterAlike) {
  RandomTexts texts;
  std::set<std::string> seen;
  std::map<char, int> letters;
  constexpr int count = 20'000;
  for (int round = 0; round < count; ++round) {
    const std::string text = texts.take(16);
    EXPECT_EQ(text.size(), 16U);
    EXPECT_TRUE(seen.insert(text).second);
    for (const char letter : text) ++letters[letter];
  }
  EXPECT_EQ(letters.size(), 62U);
  for (const auto& [letter, times] : letters) {
    EXPECT_TRUE(std::isalnum(static_cast<unsigned char>(letter)));
    EXPECT_NEAR(times, count * 16 / 62, count * 16 / 62 / 10) << letter;
  }
}

}  // namespace
}  // namespace mp
