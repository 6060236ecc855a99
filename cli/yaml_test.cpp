#include "cli/yaml.hpp"

#include "cli/failure.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

namespace mp::cli {
namespace {

namespace json = boost::json;

std::string trouble(const std::string& text, const std::string& name = "file.yaml") {
  try {
    read_documents(text, name);
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.exit, Exit::Usage);
    return failure.what();
  }
  return "none";
}

json::value only(const std::string& text) {
  const auto documents = read_documents(text, "file.yaml");
  EXPECT_EQ(documents.size(), 1U);
  return documents.empty() ? json::value() : documents.front().value;
}

TEST(Yaml, PlainWordsHaveTypesAndQuotedOnesAreText) {
  EXPECT_EQ(
      only("a: 80\nb: '80'\nc: true\nd: \"true\"\ne: 8000-8010\nf:\ng: ~\nh: 1.5\ni: 10.0.0.1"),
      (json::value{{"a", 80},
                   {"b", "80"},
                   {"c", true},
                   {"d", "true"},
                   {"e", "8000-8010"},
                   {"f", nullptr},
                   {"g", nullptr},
                   {"h", 1.5},
                   {"i", "10.0.0.1"}}));
}

TEST(Yaml, SeveralDocumentsKnowTheirLines) {
  const auto documents = read_documents("kind: a\n---\n---\nkind: b\n", "shop.yaml");
  ASSERT_EQ(documents.size(), 2U);
  EXPECT_EQ(documents[0].place, "shop.yaml, line 1");
  EXPECT_EQ(documents[1].place, "shop.yaml, line 4");
}

TEST(Yaml, JsonIsReadExactly) {
  EXPECT_EQ(only(" {\"a\": \"1\", \"b\": [1]}"), (json::value{{"a", "1"}, {"b", json::array{1}}}));
  EXPECT_EQ(trouble("{\"a\": }", "x.json").substr(0, 19), "x.json: is not JSON");
}

TEST(Yaml, BadInputIsAnError) {
  EXPECT_EQ(trouble("a: 1\nb: 2\na: 3\n"), "file.yaml, line 3: a stands twice");
  EXPECT_EQ(trouble("a: [1\n").substr(0, 16), "file.yaml, line ");
  EXPECT_EQ(trouble("? [a]\n: 1\n"), "file.yaml, line 1: a key must be a word");
  const std::string deep(100, '[');
  EXPECT_NE(trouble("a: " + deep + std::string(100, ']')), "none");
}

TEST(Yaml, AliasesCannotGrowWithoutEnd) {
  std::string text = "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n";
  for (int level = 1; level < 10; ++level) {
    const std::string before = "*a" + std::to_string(level - 1);
    text += "a" + std::to_string(level) + ": &a" + std::to_string(level) + " [";
    for (int item = 0; item < 10; ++item) text += (item > 0 ? ", " : "") + before;
    text += "]\n";
  }
  EXPECT_NE(trouble(text).find("is too large"), std::string::npos);
}

TEST(Yaml, WhatIsWrittenIsReadAsTheSame) {
  const json::value value{
      {"plain", "web-backend"},
      {"texts", json::array{"",
                            "true",
                            "No",
                            "1",
                            "1.5",
                            "-",
                            "~",
                            "a: b",
                            "# c",
                            " d",
                            "é",
                            "line\nbreak",
                            "quote\"",
                            "back\\slash",
                            "10.0.0.1",
                            "8000-8010",
                            "collection:web",
                            "*.example",
                            "0x10",
                            "1_000",
                            "1e3",
                            "2024-01-01"}},
      {"numbers", json::array{0, -5, 1.5, 9007199254740993}},
      {"nested",
       {{"list", json::array{json::object{{"a", 1}}, json::object()}}, {"null", nullptr}}},
      {"empty", json::array()},
      {"true", true}};
  EXPECT_EQ(only(yaml_text(value)), value) << yaml_text(value);
}

TEST(Yaml, IsWrittenAsPeopleWriteIt) {
  EXPECT_EQ(yaml_text(json::object{{"kind", "service"},
                                   {"ports", json::array{80, "8000-8010"}},
                                   {"hosts", json::array{"*.shop.example"}},
                                   {"tls", json::object{{"enabled", true}}}}),
            "kind: service\n"
            "ports: [80, 8000-8010]\n"
            "hosts: [\"*.shop.example\"]\n"
            "tls:\n"
            "  enabled: true\n");
}

}  // namespace
}  // namespace mp::cli
