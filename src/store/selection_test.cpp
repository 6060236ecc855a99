// Lists that begin somewhere.
#include "store/test_database.hpp"

namespace mp::test {
namespace {

class Selecting : public StoreTest {};
INSTANTIATE_TEST_SUITE_P(Both, Selecting, testing::Values("sqlite", "postgresql"), kind_name);

TEST_P(Selecting, BeginsAtARowInEveryOrder) {
  const Cluster home = add(cluster("main"));
  std::vector<Service> made;
  for (const char* name : {"d", "b", "e", "a", "c"}) made.push_back(add(service(name, home.id)));
  const auto names = [&](const Selection& selection) {
    std::string all;
    store->read([&](Reader& db) {
      for (const Service& each : db.select<Service>(selection)) all += each.name;
    });
    return all;
  };
  const std::int64_t b = made[1].id;
  EXPECT_EQ(names({.limit = 2, .from_id = b}), "be");
  EXPECT_EQ(names({.limit = 2, .from_id = b, .offset = 2}), "ac");
  EXPECT_EQ(names({.order = "id DESC", .limit = 9, .from_id = b}), "bd");
  EXPECT_EQ(names({.order = "name", .limit = 2, .from_id = b, .offset = 1}), "cd");
  EXPECT_EQ(names({.order = "name DESC", .limit = 9, .from_id = b}), "ba");
  EXPECT_EQ(names({.order = "created_at DESC", .limit = 9, .from_id = b, .offset = 1}), "d");
  EXPECT_EQ(names({.where = "name = :one OR name = :two",
                   .values = {{"one", "a"}, {"two", "e"}},
                   .order = "name",
                   .limit = 9,
                   .from_id = b}),
            "e");
}

}  // namespace
}  // namespace mp::test
