// The checker that every other test leans on must refuse what it should.
#include "schema_check.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

namespace mp::test {
namespace {

namespace json = boost::json;

// How many problems `value` has under `schema`.
std::size_t problems(const char* schema, const char* value) {
  const json::value document{{"schema", json::parse(schema)},
                             {"small", json::parse(R"({"type": "integer", "maximum": 9})")}};
  return SchemaCheck(document).problems(json::parse(value), document.at("schema")).size();
}

TEST(SchemaCheck, holds_values_to_types_and_bounds) {
  EXPECT_EQ(problems(R"({"type": "integer", "minimum": 1, "maximum": 3})", "3"), 0U);
  EXPECT_EQ(problems(R"({"type": "integer", "minimum": 1, "maximum": 3})", "4"), 1U);
  EXPECT_EQ(problems(R"({"type": "integer"})", "1.5"), 1U);
  EXPECT_EQ(problems(R"({"type": "number"})", "1.5"), 0U);
  EXPECT_EQ(problems(R"({"type": "string", "maxLength": 2})", R"("äöü")"), 1U);
  EXPECT_EQ(problems(R"({"type": "string", "minLength": 3})", R"("äöü")"), 0U);
  EXPECT_EQ(problems(R"({"type": "string", "pattern": "^a+$"})", R"("aab")"), 1U);
  EXPECT_EQ(
      problems(R"({"type": "string", "format": "date-time"})", R"("2026-01-01T00:00:00+01:00")"),
      1U);
  EXPECT_EQ(problems(R"({"type": "string", "enum": ["a", "b"]})", R"("c")"), 1U);
}

TEST(SchemaCheck, takes_null_only_where_it_is_allowed) {
  EXPECT_EQ(problems(R"({"type": "string"})", "null"), 1U);
  EXPECT_EQ(problems(R"({"type": "string", "nullable": true})", "null"), 0U);
}

TEST(SchemaCheck, looks_into_objects_and_lists) {
  const char* schema = R"({"type": "object", "additionalProperties": false, "required": ["a"],
                           "properties": {"a": {"type": "array", "maxItems": 2, "items": {"type": "boolean"}}}})";
  EXPECT_EQ(problems(schema, R"({"a": [true]})"), 0U);
  EXPECT_EQ(problems(schema, R"({"a": [true, 1]})"), 1U);
  EXPECT_EQ(problems(schema, R"({"a": [true, true, true]})"), 1U);
  EXPECT_EQ(problems(schema, R"({})"), 1U);
  EXPECT_EQ(problems(schema, R"({"a": [], "b": 1})"), 1U);
}

TEST(SchemaCheck, follows_references_and_wants_exactly_one_of) {
  EXPECT_EQ(problems(R"({"type": "array", "items": {"$ref": "#/small"}})", "[9, 10]"), 1U);
  EXPECT_EQ(problems(R"({"oneOf": [{"$ref": "#/small"}, {"type": "string"}]})", R"("x")"), 0U);
  EXPECT_EQ(problems(R"({"oneOf": [{"$ref": "#/small"}, {"type": "integer"}]})", "1"), 1U);
  EXPECT_EQ(problems(R"({"oneOf": [{"$ref": "#/small"}, {"type": "string"}]})", "true"), 1U);
  EXPECT_EQ(problems(R"({"$ref": "#/nothing"})", "1"), 1U);
}

TEST(SchemaCheck, wants_all_of_and_no_item_twice) {
  EXPECT_EQ(problems(R"({"allOf": [{"$ref": "#/small"}], "description": "x"})", "9"), 0U);
  EXPECT_EQ(problems(R"({"allOf": [{"$ref": "#/small"}]})", "10"), 1U);
  EXPECT_EQ(problems(R"({"type": "array", "uniqueItems": true, "items": {"type": "integer"}})",
                     "[1, 2, 1]"),
            1U);
}

TEST(SchemaCheck, matches_patterns_by_characters) {
  const char* schema = R"({"type": "string", "pattern": "^[^\u0000-\u001f\u007f-\u009f]*$"})";
  EXPECT_EQ(problems(schema, R"("Grüße, 世界 😀")"), 0U);
  EXPECT_EQ(problems(schema, R"("a\u0085b")"), 1U);
  EXPECT_EQ(problems(schema, R"("a\nb")"), 1U);
}

TEST(SchemaCheck, holds_numbers_to_their_format) {
  EXPECT_EQ(problems(R"({"type": "integer", "format": "int32"})", "2147483648"), 1U);
  EXPECT_EQ(problems(R"({"type": "integer", "format": "int64"})", "2147483648"), 0U);
  EXPECT_EQ(problems(R"({"type": "string", "format": "colour"})", R"("red")"), 1U);
}

TEST(SchemaCheck, refuses_keywords_that_it_does_not_know) {
  EXPECT_EQ(problems(R"({"type": "integer", "multipleOf": 2})", "3"), 1U);
}

}  // namespace
}  // namespace mp::test
