#include "http/render.hpp"

#include <gtest/gtest.h>

namespace mp::http {
namespace {

constexpr std::string_view date = "Sun, 06 Nov 1994 08:49:37 GMT";

std::string rendered(const Response& response, const Framing& framing) {
  std::string out;
  render(out, response, framing);
  return out;
}

TEST(Render, writes_status_fields_and_body) {
  EXPECT_EQ(rendered({.status = 404, .headers = {{"X-A", "b"}, {"X-C", ""}}, .body = "none"},
                     {.date = date}),
            "HTTP/1.1 404 Not Found\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nX-A: b\r\nX-C: \r\n"
            "Content-Length: 4\r\n\r\nnone");
}

TEST(Render, gives_no_length_where_there_can_be_no_body) {
  for (const int status : {204, 304}) {
    const auto out = rendered({.status = status, .headers = {}, .body = "dropped"}, {.date = date});
    EXPECT_EQ(out.find("Content-Length"), std::string::npos);
    EXPECT_TRUE(out.ends_with("\r\n\r\n"));
  }
}

TEST(Render, lets_nobody_else_frame_the_message) {
  const Headers framing = {{"content-length", "1"},
                           {"Transfer-Encoding", "chunked"},
                           {"CONNECTION", "upgrade"},
                           {"Date", "never"}};
  EXPECT_EQ(rendered({.status = 200, .headers = framing, .body = "ab"},
                     {.keep_alive = false, .date = date}),
            "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: "
            "2\r\nConnection: close\r\n\r\nab");
}

TEST(Render, knows_what_no_answer_can_be) {
  EXPECT_TRUE(well_formed(
      {.status = 200, .headers = {{"X-a!#$%&'*+-.^_`|~9", "\tv\xc3\xa9 \"x\""}}, .body = "\r\n"}));
  for (const int status : {0, 100, 199, 600, -1})
    EXPECT_FALSE(well_formed({.status = status, .headers = {}, .body = ""}));
  for (const std::string name : {"", "a b", "a:", "a\r", "\xc3\xa9"}) {
    EXPECT_FALSE(well_formed({.status = 200, .headers = {{name, "x"}}, .body = ""})) << name;
  }
  for (const std::string value : {"a\r\nb: c", "a\n", "\x7f", "\x01"}) {
    EXPECT_FALSE(well_formed({.status = 200, .headers = {{"a", value}}, .body = ""})) << value;
  }
}

}  // namespace
}  // namespace mp::http
