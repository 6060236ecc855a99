#include "cli/difference.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mp::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Difference, OfEqualTextsIsEmpty) {
  EXPECT_THAT(difference("", ""), IsEmpty());
  EXPECT_THAT(difference("a\nb\n", "a\nb\n"), IsEmpty());
}

TEST(Difference, OfNothingIsTheWholeText) {
  EXPECT_THAT(difference("", "a\nb\n"), ElementsAre("@@ -0,0 +1,2 @@", "+a", "+b"));
  EXPECT_THAT(difference("a\nb\n", ""), ElementsAre("@@ -1,2 +0,0 @@", "-a", "-b"));
}

TEST(Difference, ShowsThreeLinesAroundAChange) {
  EXPECT_THAT(difference("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n6\n7\n8\n9\n"),
              ElementsAre("@@ -2,7 +2,7 @@", " 2", " 3", " 4", "-5", "+x", " 6", " 7", " 8"));
}

TEST(Difference, SeparatesChangesThatAreFarApart) {
  std::string before = "a\n";
  std::string after = "b\n";
  for (int line = 0; line < 10; ++line) {
    before += std::to_string(line) + "\n";
    after += std::to_string(line) + "\n";
  }
  const auto lines = difference(before + "y\n", after + "z\n");
  EXPECT_EQ(lines.front(), "@@ -1,4 +1,4 @@");
  EXPECT_EQ(std::ranges::count_if(lines, [](const auto& line) { return line.starts_with("@@"); }),
            2);
  EXPECT_EQ(lines.back(), "+z");
}

TEST(Difference, KeepsWhatBothHave) {
  EXPECT_THAT(difference("a\nb\nc\n", "a\nc\nd\n"),
              ElementsAre("@@ -1,3 +1,3 @@", " a", "-b", " c", "+d"));
}

TEST(Difference, OfHugeTextsStaysCheap) {
  std::string before;
  std::string after;
  for (int line = 0; line < 5000; ++line) {
    before += "old\n";
    after += "new\n";
  }
  EXPECT_EQ(difference(before, after).size(), 10'001U);
}

}  // namespace
}  // namespace mp::cli
