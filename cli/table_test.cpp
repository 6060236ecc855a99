#include "cli/table.hpp"

#include "cli/show.hpp"
#include "model/cluster.hpp"
#include "model/rotation.hpp"
#include "model/service.hpp"
#include "model/user.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

namespace mp::cli {
namespace {

namespace json = boost::json;

TEST(Table, AlignsColumnsByWhatIsSeen) {
  Table table({"NAME", "PORT"});
  table.add({{"wéb"}, {"80"}});
  table.add({{"a-long-name"}, {"8080"}});
  const Console console;
  EXPECT_EQ(table.text(console),
            "NAME         PORT\n"
            "wéb          80\n"
            "a-long-name  8080\n");
}

TEST(Table, CellsShowListsStatesAndNothing) {
  EXPECT_EQ(cell_text(nullptr), "-");
  EXPECT_EQ(cell_text(""), "-");
  EXPECT_EQ(cell_text(json::array()), "-");
  EXPECT_EQ(cell_text(json::array{80, "81-90"}), "80,81-90");
  EXPECT_EQ(cell_text(json::array{json::object{{"a", 1}}, json::object()}), "2");
  EXPECT_EQ(cell_text(json::object{{"state", "live"}, {"reasons", json::array()}}), "live");
  EXPECT_EQ(cell_text(150.5), "150.5");
  EXPECT_EQ(cell_text(true), "true");
}

// What a server sends may hold the escape codes of terminals.
TEST(Table, CellsHoldNoControlCharacters) { EXPECT_EQ(cell_text("a\x1b[31mb\nc"), "a [31mb c"); }

TEST(Show, EveryDeclaredColumnIsAField) {
  for (const Resource& resource : all_resources()) {
    for (const auto column : columns_of(resource, Form::Table))
      EXPECT_TRUE(find_field(*resource.noun, column)) << resource.plural() << " " << column;
    for (const auto word : words_of(resource.particulars.meaning))
      EXPECT_TRUE(find_field(*resource.noun, word)) << resource.plural() << " " << word;
    EXPECT_TRUE(find_field(*resource.noun, resource.key)) << resource.plural();
    EXPECT_GE(columns_of(resource, Form::Wide).size(), 5U) << resource.plural();
  }
}

TEST(Show, SecretsAreFoundWhereTheyAreShownOnce) {
  const json::object service{{"auth_config", {{"jwt_secret", "s3cret"}, {"jwt_expiry", 600}}}};
  EXPECT_EQ(secrets_of(describe<Service>, service, Occasion::Reading),
            std::vector<std::string>{"auth_config.jwt_secret"});
  const json::object rotation{{"new_secret", "x"}, {"old_secret_valid_until", "later"}};
  EXPECT_EQ(secrets_of(describe<SecretRotation>, rotation, Occasion::Reading),
            std::vector<std::string>{"new_secret"});
  const json::object cluster{{"api_key", "mp_cluster_x"}};
  EXPECT_TRUE(secrets_of(describe<Cluster>, cluster, Occasion::Reading).empty());
  EXPECT_EQ(secrets_of(describe<Cluster>, cluster, Occasion::Making),
            std::vector<std::string>{"api_key"});
}

TEST(Show, JsonIsIndentedAndExact) {
  const json::value value{{"a", json::array{1, 2.5}}, {"b", json::object()}, {"c", "x\"y"}};
  const std::string text = pretty_json(value);
  EXPECT_EQ(text, "{\n  \"a\": [\n    1,\n    2.5\n  ],\n  \"b\": {},\n  \"c\": \"x\\\"y\"\n}");
  EXPECT_EQ(json::parse(text), value);
}

}  // namespace
}  // namespace mp::cli
