// Bodies as browsers, curl and libraries send them, and all the ways in which they are broken.
#include "api/multipart.hpp"

#include "base/error.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace mp::api {
namespace {

const std::string type = "multipart/form-data; boundary=QQ";

std::string part(const std::string& disposition, const std::string& content) {
  return "--QQ\r\nContent-Disposition: " + disposition + "\r\n\r\n" + content + "\r\n";
}

const std::string end = "--QQ--\r\n";
const std::string good = part("form-data; name=\"name\"", "shop") +
                         part("form-data; name=\"cert_file\"; filename=\"c.pem\"", "a\r\nb\n") +
                         end;

// "field: issue" of the refusal.
std::string refusal(const std::string& body, const std::string& content_type = type) {
  try {
    parse_multipart(content_type, body);
  } catch (const Error& error) {
    EXPECT_EQ(error.code, Code::Validation);
    return error.violations.at(0).field + ": " + error.violations.at(0).issue;
  }
  return "(accepted)";
}

TEST(Multipart, IsTakenApart) {
  const auto parts = parse_multipart(type, good);
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[0].name, "name");
  EXPECT_FALSE(parts[0].is_file);
  EXPECT_EQ(parts[0].content, "shop");
  EXPECT_EQ(parts[1].name, "cert_file");
  EXPECT_TRUE(parts[1].is_file);
  EXPECT_EQ(parts[1].content, "a\r\nb\n");
}

TEST(Multipart, TakesWhatClientsSend) {
  const std::string plain = part("form-data; name=a", "1") + end;
  for (const std::string& each : {std::string("multipart/form-data; boundary=QQ"),
                                  std::string("Multipart/Form-Data;boundary=\"QQ\""),
                                  std::string("multipart/form-data; charset=utf-8; boundary=QQ;")})
    EXPECT_EQ(parse_multipart(each, plain).size(), 1U) << each;
  for (const std::string& body :
       {plain, part("Form-Data;name=\"a\"", "1") + "--QQ--",
        std::string(
            "--QQ \t\r\ncontent-disposition:form-data; name=\"a\"\r\nContent-Type: text/plain\r\n"
            "Content-Transfer-Encoding: binary\r\n\r\n1\r\n--QQ--\r\n")}) {
    const auto parts = parse_multipart(type, body);
    ASSERT_EQ(parts.size(), 1U) << body;
    EXPECT_EQ(parts[0].content, "1");
  }
  EXPECT_EQ(parse_multipart(type, "--QQ\r\nContent-Disposition: form-data; name=a\r\n\r\n--QQ--")
                .at(0)
                .content,
            "");
  EXPECT_TRUE(parse_multipart(type, end).empty());
  EXPECT_TRUE(
      parse_multipart(type, part("form-data; name=a; filename*=UTF-8''x", "") + end).at(0).is_file);
  const std::string odd_body =
      part("form-data; filename=\"a\\\";b; name=x\"; name=\"a\"", "--X\r\n--Y") + end;
  const auto odd = parse_multipart(type, odd_body);
  EXPECT_EQ(odd.at(0).name, "a");
  EXPECT_EQ(odd.at(0).content, "--X\r\n--Y");
  EXPECT_TRUE(is_form_data("MULTIPART/form-data ; boundary=x"));
  EXPECT_FALSE(is_form_data("multipart/mixed"));
  EXPECT_FALSE(is_form_data(""));
}

TEST(Multipart, IsTheSameWhateverTheBoundary) {
  std::string other = good;
  for (auto at = other.find("QQ"); at != std::string::npos; at = other.find("QQ"))
    other.replace(at, 2, "--Y");
  const std::string other_type = "multipart/form-data; boundary=--Y";
  EXPECT_EQ(parse_multipart(other_type, other).size(), 2U);
  EXPECT_EQ(without_boundary(other_type, other), without_boundary(type, good));
  EXPECT_NE(without_boundary(type, good), without_boundary(type, good + "x"));
}

TEST(Multipart, RefusesWrongBoundaries) {
  EXPECT_EQ(refusal(good, "multipart/form-data"),
            "Content-Type: Must name the boundary of the parts, once");
  EXPECT_EQ(refusal(good, "multipart/form-data; boundary=QQ; boundary=QQ"),
            "Content-Type: Must name the boundary of the parts, once");
  for (const std::string& bad : {std::string(), std::string(71, 'x'), std::string("\"a \""),
                                 std::string("\"a{b\""), std::string("\"\xff\"")})
    EXPECT_EQ(refusal(good, "multipart/form-data; boundary=" + bad),
              "Content-Type: Has a boundary that is none (RFC 2046)")
        << bad;
  EXPECT_EQ(refusal(good, "multipart/form-data; boundary=YY"),
            "body: Does not begin with the boundary that Content-Type names");
  EXPECT_EQ(refusal("hello\r\n" + good),
            "body: Does not begin with the boundary that Content-Type names");
  EXPECT_EQ(refusal(""), "body: Must be multipart/form-data, not empty");
}

TEST(Multipart, EveryTruncationIsRefused) {
  const std::size_t whole = good.size() - 2;  // the last CRLF may be missing
  for (std::size_t length = 0; length < whole; ++length)
    EXPECT_NE(refusal(good.substr(0, length)), "(accepted)") << length;
  EXPECT_EQ(refusal(good.substr(0, good.find("b\n"))),
            "cert_file: Is cut off: the boundary that ends it is missing");
  EXPECT_EQ(refusal(good.substr(0, whole)), "(accepted)");
}

TEST(Multipart, AnyMutationIsTakenOrRefused) {
  std::mt19937 random(4711);  // the same at every run
  const std::string pieces[] = {"\r\n", "--QQ", "--", "\"", ";", "\\", "=", std::string(1, '\0'),
                                "\xff"};
  for (int round = 0; round < 20000; ++round) {
    std::string body = good;
    for (unsigned change = random() % 4; change > 0; --change) {
      const auto at = random() % body.size();
      const auto kind = random() % 3;
      if (kind == 0) body[at] = static_cast<char>(random());
      if (kind == 1) body.erase(at, random() % 9);
      if (kind == 2) body.insert(at, pieces[random() % std::size(pieces)]);
    }
    refusal(body);  // checks that nothing but a violation comes
  }
}

TEST(Multipart, NamesThePartThatIsBroken) {
  const std::map<std::string, std::string> refused{
      {"--QQ\r\n\r\n1\r\n" + end, "body: Part 1 has no Content-Disposition"},
      {part("form-data", "1") + end, "body: Part 1 is no form-data with a name"},
      {part("attachment; name=a", "1") + end, "body: Part 1 is no form-data with a name"},
      {part("form-data; name=\"a", "1") + end,
       "body: Part 1 has a broken Content-Disposition, or two"},
      {part("form-data; name=a; name=b", "1") + end,
       "body: Part 1 has a broken Content-Disposition, or two"},
      {part("form-data; name=\"a\"b", "1") + end,
       "body: Part 1 has a broken Content-Disposition, or two"},
      {part("form-data; name=a\r\nContent-Disposition: form-data; name=b", "1") + end,
       "body: Part 1 has a broken Content-Disposition, or two"},
      {part("form-data; name=a\r\nno header", "1") + end, "body: Part 1 has a header that is none"},
      {part("form-data; name=a\nX: y", "1") + end,
       "body: Part 1 has a header with control characters"},
      {part("form-data; name=a\r\nContent-Transfer-Encoding: base64", "1") + end,
       "body: Part 1 has a Content-Transfer-Encoding; it must be sent as it is"},
      {part("form-data; name=\"a b\"", "1") + end,
       "body: Part 1 has a name of other letters than A-Z, a-z, 0-9, _, . and -"},
      {part("form-data; name=a", "1") + "--QQX\r\n",
       "body: Has something behind a boundary in its "
       "line"},
      {good + "more", "body: Goes on after the last boundary"}};
  for (const auto& [body, issue] : refused) EXPECT_EQ(refusal(body), issue);
}

TEST(Multipart, IsBounded) {
  std::string many;
  for (int count = 0; count < 33; ++count) many += part("form-data; name=a", "1");
  EXPECT_EQ(refusal(many + end), "body: Has more than 32 parts");
  std::string headers = "--QQ\r\n";
  for (int count = 0; count < 9; ++count) headers += "X: y\r\n";
  EXPECT_EQ(refusal(headers + "\r\n1\r\n" + end), "body: Part 1 has too many headers");
  EXPECT_EQ(refusal("--QQ\r\nX: " + std::string(2000, 'y') + "\r\n\r\n1\r\n" + end),
            "body: Part 1 is cut off in its headers, or has one over 1024 bytes");
  EXPECT_EQ(refusal(part("form-data; name=" + std::string(65, 'a'), "1") + end),
            "body: Part 1 has a name of other letters than A-Z, a-z, 0-9, _, . and -");
}

}  // namespace
}  // namespace mp::api
