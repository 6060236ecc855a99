#include "base/curl.hpp"

#include <gtest/gtest.h>

namespace mp::curl {
namespace {

void take(Headers& headers, std::string line) {
  EXPECT_EQ(take_header(line.data(), 1, line.size(), &headers), line.size());
}

TEST(UrlEncoded, LeavesOnlyUnreservedLetters) {
  EXPECT_EQ(url_encoded("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(url_encoded("a b&c=/\xc3\xa4"), "a%20b%26c%3D%2F%C3%A4");
  EXPECT_EQ(url_encoded(""), "");
}

TEST(TakeHeader, KeepsThoseOfTheLastAnswer) {
  Headers headers;
  for (const char* line : {"HTTP/1.1 100 Continue\r\n", "Via: a\r\n", "\r\n", "HTTP/1.1 200 OK\r\n",
                           "Retry-AFTER: \t 7 \r\n", "no header\r\n", "Empty:\r\n"})
    take(headers, line);
  EXPECT_EQ(headers, (Headers{{"retry-after", "7"}, {"empty", ""}}));
  EXPECT_EQ(value_of(headers, "retry-after"), "7");
  EXPECT_EQ(value_of(headers, "via"), "");
}

TEST(TakeHeader, KeepsAtMostAHundred) {
  Headers headers;
  for (int each = 0; each < 200; ++each) take(headers, "A: b\r\n");
  EXPECT_EQ(headers.size(), 100u);
}

TEST(ListOf, HoldsTheLinesInTheirOrder) {
  const std::vector<std::string> lines{"A: 1", "B: 2"};
  const List list = list_of(lines);
  ASSERT_TRUE(list && list->next);
  EXPECT_STREQ(list->data, "A: 1");
  EXPECT_STREQ(list->next->data, "B: 2");
  EXPECT_EQ(list->next->next, nullptr);
}

}  // namespace
}  // namespace mp::curl
