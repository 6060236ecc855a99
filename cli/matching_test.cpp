#include "cli/matching.hpp"

#include "cli/objects.hpp"
#include "model/mapping.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json.hpp>

namespace mp::cli {
namespace {

namespace json = boost::json;
using ::testing::ElementsAre;
using Index = std::optional<std::size_t>;

const Resource& mappings() { return resource_of(describe<Mapping>); }

// A mapping as the server answers with it.
json::object mapping(int port, std::string comments, int priority = 100) {
  const json::object body{
      {"source_services", {"any"}}, {"dest_services", {"web"}}, {"cluster_id", 1},
      {"protocols", {"http"}},      {"ports", {port}},          {"comments", std::move(comments)},
      {"priority", priority}};
  Violations violations;
  json::object whole = created(describe<Mapping>, body, violations);
  EXPECT_TRUE(violations.empty());
  return whole;
}

TEST(Matching, FollowsCommentsThatAreUnique) {
  const auto matches = match_unnamed(mappings(), {mapping(81, "shop"), mapping(90, "blog")},
                                     {mapping(91, "blog"), mapping(80, "shop")});
  EXPECT_THAT(matches, ElementsAre(Index(1), Index(0)));
}

TEST(Matching, WithoutCommentsIsByWhatIsCarried) {
  const auto matches = match_unnamed(mappings(), {mapping(80, "", 7), mapping(81, "")},
                                     {mapping(82, ""), mapping(80, "")});
  EXPECT_THAT(matches, ElementsAre(Index(1), Index()));
}

TEST(Matching, CommentsMayBeAddedToWhatIsCarried) {
  EXPECT_THAT(match_unnamed(mappings(), {mapping(80, "shop")}, {mapping(80, "")}),
              ElementsAre(Index(0)));
}

TEST(Matching, CommentsThatComeTwiceAreNoName) {
  const auto matches = match_unnamed(mappings(), {mapping(80, "same"), mapping(81, "same")},
                                     {mapping(81, "same"), mapping(82, "same")});
  EXPECT_THAT(matches, ElementsAre(Index(), Index(0)));
}

TEST(Matching, GivesNoExistingOneTwice) {
  const auto matches =
      match_unnamed(mappings(), {mapping(80, ""), mapping(80, ""), mapping(80, "")},
                    {mapping(80, ""), mapping(80, "")});
  EXPECT_THAT(matches, ElementsAre(Index(0), Index(1), Index()));
}

TEST(Matching, EqualOnesComeBeforeAlikeOnes) {
  const auto matches = match_unnamed(mappings(), {mapping(80, "", 5), mapping(80, "", 9)},
                                     {mapping(80, "", 9), mapping(80, "", 7)});
  EXPECT_THAT(matches, ElementsAre(Index(1), Index(0)));
}

}  // namespace
}  // namespace mp::cli
