#include "http/parser.hpp"

#include <gtest/gtest.h>

#include <string>

namespace mp::http {
namespace {

// Feeds in pieces of the given size, keeping unused bytes as a connection does; returns what is
// left.
std::string feed(Parser& parser, std::string_view bytes, std::size_t piece) {
  std::string kept;
  while (!bytes.empty() && parser.progress() == Progress::NeedMore) {
    kept += bytes.substr(0, piece);
    bytes.remove_prefix(std::min(piece, bytes.size()));
    kept.erase(0, parser.feed(kept));
  }
  return kept.append(bytes);
}

constexpr std::string_view chunked =
    "\r\n\r\nPUT /a?b HTTP/1.1\r\nHost: h\r\nFolded: one\r\n two\r\nTransfer-Encoding: "
    "chunked\r\n\r\n"
    "3\r\nabc\r\nA;x=\"y\"\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n";

TEST(Parser, reads_the_same_however_the_bytes_are_cut) {
  for (std::size_t piece = 1; piece <= chunked.size(); ++piece) {
    Parser parser({.header = 1000, .body = 1000});
    EXPECT_EQ(feed(parser, std::string(chunked) + "GET", piece), "GET");
    ASSERT_EQ(parser.progress(), Progress::Complete) << piece;
    const auto request = parser.take();
    EXPECT_EQ(request.method, "PUT");
    EXPECT_EQ(request.target, "/a?b");
    EXPECT_EQ(request.body, "abc0123456789");
    EXPECT_EQ(request.header("folded"), "one two");
    EXPECT_EQ(request.headers.size(), 3U);
  }
}

TEST(Parser, leaves_the_next_request_alone_and_reads_it_then) {
  Parser parser({.header = 1000, .body = 1000});
  auto left = feed(
      parser, "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nabGET /2 HTTP/1.0\r\n\r\n",
      1000);
  EXPECT_TRUE(parser.keep_alive());
  EXPECT_EQ(parser.take().body, "ab");
  left = feed(parser, left, 1000);
  EXPECT_EQ(left, "");
  EXPECT_TRUE(parser.old_version());
  EXPECT_FALSE(parser.keep_alive());
  EXPECT_EQ(parser.take().target, "/2");
}

TEST(Parser, counts_the_header_however_the_bytes_are_cut) {
  const std::string request = "GET / HTTP/1.1\r\nHost: h\r\n" + [] {
    std::string fields;
    for (int field = 0; field < 20; ++field) fields += "Name: value\r\n";
    return fields;
  }() + "\r\n";
  for (std::size_t piece = 1; piece <= request.size(); ++piece) {
    Parser fits({.header = request.size(), .body = 0});
    feed(fits, request, piece);
    EXPECT_EQ(fits.progress(), Progress::Complete) << piece;
    Parser over({.header = 200, .body = 0});
    feed(over, request, piece);
    EXPECT_EQ(over.progress(), Progress::Refused) << piece;
    EXPECT_EQ(over.refusal().status, 431) << piece;
  }
}

TEST(Parser, keeps_nothing_of_a_body_that_is_too_large) {
  Parser parser({.header = 1000, .body = 4});
  feed(parser, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\n",
       1);
  ASSERT_EQ(parser.progress(), Progress::TooLarge);
  const auto request = parser.take();
  EXPECT_TRUE(request.body_too_large);
  EXPECT_EQ(request.body, "");
  EXPECT_EQ(request.method, "POST");
}

TEST(Parser, knows_who_waits_for_permission) {
  constexpr std::string_view fields =
      "Host: h\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\n";
  Parser current({.header = 1000, .body = 4});
  feed(current, "POST / HTTP/1.1\r\n" + std::string(fields), 1000);
  EXPECT_TRUE(current.header_complete());
  EXPECT_TRUE(current.expects_continue());
  Parser old({.header = 1000, .body = 4});
  feed(old, "POST / HTTP/1.0\r\n" + std::string(fields), 1000);
  EXPECT_FALSE(old.expects_continue());
}

}  // namespace
}  // namespace mp::http
