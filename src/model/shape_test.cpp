#include "model/shape.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

namespace mp {

enum class Colour { Red, Green };
template <>
inline constexpr std::array names_of<Colour>{std::string_view("red"), std::string_view("green")};

struct Leaf {
  std::string note = "none";
  std::optional<Secret> shown_once;
  int computed = 7;
};
inline constexpr std::array leaf_fields{
    field<&Leaf::note>("note", "Text.", {.max = 4}),
    field<&Leaf::shown_once>("shown_once", "Only in one answer.",
                             {.mode = Mode::Server, .kept = Kept::Once}),
    field<&Leaf::computed>("computed", "Found when read.",
                           {.mode = Mode::Server, .kept = Kept::Computed}),
};
template <>
inline constexpr Description describe<Leaf> = part<Leaf>("leaf", "A leaf.", leaf_fields);

struct Branch {
  std::vector<Leaf> leaves;
  std::optional<Leaf> single;
};
inline constexpr std::array branch_fields{
    field<&Branch::leaves>("leaves", "Leaves."),
    field<&Branch::single>("single", "A leaf, or none."),
};
template <>
inline constexpr Description describe<Branch> = part<Branch>("branch", "A branch.", branch_fields);

struct Vaulted {
  Secret key;
};
inline constexpr std::array vaulted_fields{field<&Vaulted::key>("key", "A key.")};
template <>
inline constexpr Description describe<Vaulted> =
    part<Vaulted>("vaulted", "What holds a secret.", vaulted_fields);

namespace {

template <class T>
std::string issue_of(std::string_view body, Rules rules = {}) {
  T value{};
  Violations violations;
  ShapeOf<T>::from_json(value, json::parse(body), rules, "x", violations);
  return violations.empty() ? "" : violations.front().field + ": " + violations.front().issue;
}

template <class T>
T read(std::string_view body, Rules rules = {}) {
  T value{};
  Violations violations;
  ShapeOf<T>::from_json(value, json::parse(body), rules, "x", violations);
  EXPECT_TRUE(violations.empty()) << body;
  return value;
}

template <class T>
T through_cell(const T& value) {
  T back{};
  ShapeOf<T>::from_cell(back, ShapeOf<T>::to_cell(value));
  return back;
}

TEST(Shape, WholeNumbers) {
  EXPECT_EQ(read<int>("5"), 5);
  EXPECT_EQ(read<int>("5.0"), 5);
  EXPECT_EQ(read<std::int64_t>("-9223372036854775808"), std::numeric_limits<std::int64_t>::min());
  const Rules port{.min = 1, .max = 65535};
  for (const auto* text : {"\"5\"", "5.5", "true", "null", "[]", "1e300"}) {
    EXPECT_EQ(issue_of<int>(text, port), "x: Must be a whole number") << text;
  }
  for (const auto* text : {"0", "-1", "65536", "18446744073709551615"}) {
    EXPECT_EQ(issue_of<int>(text, port), "x: Must be between 1 and 65535") << text;
  }
  EXPECT_EQ(issue_of<std::int64_t>("0", {.min = 1}), "x: Must be at least 1");
  EXPECT_EQ(issue_of<std::int64_t>("9", {.max = 8}), "x: Must be at most 8");
  EXPECT_EQ(issue_of<std::int64_t>("18446744073709551615", {.min = 0}),
            "x: Must be at most 9223372036854775807");
  EXPECT_EQ(issue_of<int>("2147483648"), "x: Must be between -2147483648 and 2147483647");
}

TEST(Shape, Numbers) {
  EXPECT_EQ(read<double>("12.5"), 12.5);
  EXPECT_EQ(read<double>("12"), 12.0);
  EXPECT_EQ(issue_of<double>("100.5", {.min = 0, .max = 100}), "x: Must be between 0 and 100");
  EXPECT_EQ(issue_of<double>("-0.5", {.min = 0}), "x: Must be at least 0");
  EXPECT_EQ(issue_of<double>("\"1\""), "x: Must be a number");
}

TEST(Shape, Booleans) {
  EXPECT_TRUE(read<bool>("true"));
  for (const auto* text : {"1", "\"true\"", "null"})
    EXPECT_EQ(issue_of<bool>(text), "x: Must be true or false");
}

TEST(Shape, TextIsCountedInCodePoints) {
  const Rules rules{.min = 2, .max = 3};
  EXPECT_EQ(read<std::string>("\"\u00e4\u20ac\U0001F600\"", rules), "\u00e4\u20ac\U0001F600");
  EXPECT_EQ(issue_of<std::string>("\"abcd\"", rules), "x: Must have at most 3 characters");
  EXPECT_EQ(issue_of<std::string>("\"\u20ac\"", rules), "x: Must have at least 2 characters");
  EXPECT_EQ(issue_of<std::string>("\"\"", rules), "x: Must not be empty");
  EXPECT_EQ(issue_of<std::string>("5"), "x: Must be a string");
}

TEST(Shape, TextHasNoControlCharacters) {
  const std::string issue = "x: Must not contain control characters";
  for (const auto* text : {R"("a\u0000b")", R"("\n")", R"("\u007f")", R"("\u0085")"}) {
    EXPECT_EQ(issue_of<std::string>(text), issue) << text;
  }
  EXPECT_EQ(read<std::string>(R"("\u00a0")"), "\u00a0");
  EXPECT_EQ(read<std::string>(R"("a\n\tb")", {.format = "comment"}), "a\n\tb");
  EXPECT_EQ(issue_of<std::string>(R"("a\u0007b")", {.format = "comment"}), issue);
}

TEST(Shape, LengthIsThatOfTheStoredForm) {
  const Rules rules{.min = 1, .max = 7, .format = "host"};
  EXPECT_EQ(read<std::string>("\"abc.com.\"", rules), "abc.com");
  EXPECT_EQ(issue_of<std::string>("\"abcd.com\"", rules), "x: Must have at most 7 characters");
  EXPECT_EQ(issue_of<std::string>("\"1.2.3\"", rules), "x: Must be valid IP address or FQDN");
}

TEST(Shape, TimesAndEnumerations) {
  EXPECT_EQ(to_string(read<Time>("\"2025-12-12T11:30:00+01:00\"")), "2025-12-12T10:30:00Z");
  EXPECT_EQ(issue_of<Time>("\"yesterday\""),
            "x: Must be an RFC 3339 time such as 2025-12-12T10:30:00Z");
  EXPECT_EQ(read<Colour>("\"green\""), Colour::Green);
  for (const auto* text : {"\"Green\"", "1", "null"}) {
    EXPECT_EQ(issue_of<Colour>(text), "x: Must be one of red, green") << text;
  }
}

TEST(Shape, Lists) {
  EXPECT_EQ(read<std::vector<int>>("[1, 2]"), (std::vector{1, 2}));
  EXPECT_EQ(issue_of<std::vector<int>>("1"), "x: Must be a list");
  EXPECT_EQ(issue_of<std::vector<int>>("[]", {.min = 1}), "x: Must not be empty");
  EXPECT_EQ(issue_of<std::vector<int>>("[1]", {.min = 2}), "x: Must have at least 2 items");
  EXPECT_EQ(issue_of<std::vector<int>>("[1, 2, 3]", {.max = 2}), "x: Must have at most 2 items");
  EXPECT_EQ(issue_of<std::vector<int>>("[1, 2, \"3\"]"), "x[2]: Must be a whole number");
  EXPECT_EQ(issue_of<std::vector<Leaf>>(R"([{}, {"note": "12345"}])"),
            "x[1].note: Must have at most 4 characters");
}

TEST(Shape, OptionalsAreNullable) {
  EXPECT_EQ(read<std::optional<int>>("null"), std::nullopt);
  EXPECT_EQ(read<std::optional<int>>("3"), 3);
  EXPECT_EQ(json::serialize(ShapeOf<std::optional<Colour>>::schema({})),
            R"({"type":"string","enum":["red","green",null],"nullable":true})");
}

TEST(Shape, EchoesSmallValuesAndNoSecrets) {
  const auto provided = [](auto shape, std::string_view body, Rules rules = {}) {
    using T = typename decltype(shape)::type;
    T value{};
    Violations violations;
    ShapeOf<T>::from_json(value, json::parse(body), rules, "x", violations);
    return violations.at(0).provided;
  };
  EXPECT_EQ(provided(std::type_identity<int>{}, "\"abc\""), json::value("abc"));
  EXPECT_EQ(provided(std::type_identity<int>{}, "[1,2]"), (json::value{1, 2}));
  EXPECT_EQ(provided(std::type_identity<int>{}, R"({"password": "x"})"), std::nullopt);
  EXPECT_EQ(provided(std::type_identity<int>{}, R"([{"password": "x"}])"), std::nullopt);
  EXPECT_EQ(provided(std::type_identity<int>{}, "\"" + std::string(300, 'a') + "\""), std::nullopt);
  EXPECT_EQ(provided(std::type_identity<int>{}, "\"abc\"", {.sensitive = true}), std::nullopt);
  EXPECT_EQ(provided(std::type_identity<Secret>{}, "\"abc\"", {.min = 12}), std::nullopt);
  EXPECT_EQ(provided(std::type_identity<Secret>{}, "123"), std::nullopt);
}

TEST(Shape, ViolationsAreBounded) {
  std::string body = "[";
  for (int at = 0; at < 500; ++at) body += "\"x\",";
  body.back() = ']';
  std::vector<int> value;
  Violations violations;
  ShapeOf<std::vector<int>>::from_json(value, json::parse(body), {}, "x", violations);
  EXPECT_EQ(violations.size(), 100u);
}

TEST(Cell, ScalarsComeBack) {
  EXPECT_TRUE(through_cell(true));
  EXPECT_EQ(through_cell(-5), -5);
  EXPECT_EQ(through_cell(2.5), 2.5);
  EXPECT_EQ(through_cell(std::string("a\nb")), "a\nb");
  EXPECT_EQ(through_cell(Secret("s")).reveal(), "s");
  EXPECT_EQ(through_cell(from_milliseconds(1234)), from_milliseconds(1234));
  EXPECT_EQ(through_cell(Colour::Green), Colour::Green);
  EXPECT_EQ(through_cell(std::optional<int>()), std::nullopt);
  EXPECT_EQ(through_cell(std::optional<int>(4)), 4);
  EXPECT_EQ(through_cell(std::vector<std::string>{"a", "b\nc"}),
            (std::vector<std::string>{"a", "b\nc"}));
}

TEST(Cell, JsonColumnsKeepStoredMembersAtEveryDepth) {
  Leaf leaf{.note = "longer than a client may", .shown_once = Secret("hush"), .computed = 9};
  const Branch back = through_cell(Branch{.leaves = {leaf}, .single = leaf});
  const Cell cell = ShapeOf<Branch>::to_cell(Branch{.leaves = {leaf}, .single = leaf});
  EXPECT_EQ(std::get<std::string>(cell).find("hush"), std::string::npos);
  ASSERT_EQ(back.leaves.size(), 1u);
  for (const Leaf& each : {back.leaves[0], *back.single}) {
    EXPECT_EQ(each.note, leaf.note);
    EXPECT_FALSE(each.shown_once.has_value());
    EXPECT_EQ(each.computed, 7);
  }
}

TEST(Cell, RowsOfOtherVersionsAreRead) {
  Branch branch{.leaves = {Leaf{}}, .single = Leaf{}};
  ShapeOf<Branch>::from_cell(
      branch, std::string(R"({"leaves": [{}, {"note": 5, "gone": true}], "more": 1})"));
  ASSERT_EQ(branch.leaves.size(), 2u);
  EXPECT_EQ(branch.leaves[0].note, "none");
  EXPECT_EQ(branch.leaves[1].note, "none");
  EXPECT_FALSE(branch.single.has_value());
  ShapeOf<Branch>::from_cell(branch, std::string("not JSON"));
  EXPECT_TRUE(branch.leaves.empty());
}

TEST(Cell, JsonThatHoldsASecretIsSealed) {
  EXPECT_EQ(ShapeOf<Leaf>::column, Column::Text);
  EXPECT_EQ(ShapeOf<Vaulted>::column, Column::Sealed);
  EXPECT_EQ(ShapeOf<std::vector<Vaulted>>::column, Column::Sealed);
  EXPECT_EQ(ShapeOf<std::optional<Vaulted>>::column, Column::Sealed);
}

}  // namespace
}  // namespace mp
