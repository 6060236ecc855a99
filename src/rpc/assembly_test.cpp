// Messages in pieces, and what is no message.
#include "rpc/assembly.hpp"
#include "rpc/message.hpp"

#include <gtest/gtest.h>

namespace mp::rpc {
namespace {

using Outcome = Assembly::Outcome;

TEST(Assembly, GivesMessagesHoweverTheirBytesCome) {
  const std::string first(300, 'a'),
      bytes = prefix_of(first.size()) + first + prefix_of(0) + prefix_of(2) + "bc";
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    Assembly assembly{300};
    std::vector<std::string> messages;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      std::string_view input = std::string_view(bytes).substr(at, step);
      for (;;) {
        const auto taken = assembly.take(input);
        ASSERT_TRUE(taken.outcome == Outcome::Message || taken.outcome == Outcome::Incomplete);
        if (taken.outcome == Outcome::Incomplete) break;
        messages.emplace_back(taken.message);
        assembly.drop();
      }
      EXPECT_TRUE(input.empty()) << "nothing is left where no message is whole";
    }
    EXPECT_EQ(messages, (std::vector<std::string>{first, "", "bc"})) << step;
    EXPECT_EQ(assembly.size(), 0U);
  }
}

TEST(Assembly, TakesNoMoreThanTheMessage) {
  Assembly assembly{10};
  const std::string bytes = prefix_of(1) + "ab";
  std::string_view input = bytes;
  EXPECT_EQ(assembly.take(input).message, "a");
  EXPECT_EQ(input, "b");
}

TEST(Assembly, RefusesLongAndCompressedOnesByTheirPrefix) {
  Assembly assembly{10};
  std::string bytes = prefix_of(11);
  std::string_view input = bytes;
  EXPECT_EQ(assembly.take(input).outcome, Outcome::TooLarge);
  Assembly other{10};
  bytes = std::string("\x01\0\0\0\x01z", 6);
  input = bytes;
  EXPECT_EQ(other.take(input).outcome, Outcome::Compressed);
}

TEST(StatusMessage, IsPrintableOnTheWire) {
  const std::string text = "100 % \xc3\xbc\r\n\"";
  EXPECT_EQ(percent_encode(text), "100 %25 %C3%BC%0D%0A\"");
  EXPECT_EQ(percent_decode(percent_encode(text)), text);
  EXPECT_EQ(percent_decode("%"), "%");
  EXPECT_EQ(percent_decode("%4"), "%4");
  EXPECT_EQ(percent_decode("%zz%41"), "%zzA");
  EXPECT_EQ(percent_encode(std::string(9'000, 'x')).size(), 2'000U);
  EXPECT_EQ(percent_encode(" a b "), "%20a b%20") << "fields neither begin nor end with a space";
}

}  // namespace
}  // namespace mp::rpc
