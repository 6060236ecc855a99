#include "access/key_use.hpp"

#include "model/api_key.hpp"
#include "model/user.hpp"
#include "store/test_database.hpp"

namespace mp::test {
namespace {

const Time today = *parse_time("2026-03-01T10:00:00Z");

class KeyUses : public testing::TestWithParam<std::string> {
 protected:
  KeyUses() {
    store.write({.name = "test"}, [](Writer& db) {
      User user{.username = "olga", .email = "olga@example.com"};
      db.insert(user);
      ApiKey key{.id = "k", .name = "ci", .user_id = user.id, .key_hash = "h"};
      db.insert(key);
    });
  }

  std::optional<Time> kept() {
    std::optional<Time> last_used;
    store.read([&](Reader& db) { last_used = db.get<ApiKey>("k").last_used; });
    return last_used;
  }

  Database database{GetParam()};
  ManualClock clock{today};
  Store store{database.options(), clock};
  KeyUse use;
};
INSTANTIATE_TEST_SUITE_P(Both, KeyUses, testing::Values("sqlite", "postgresql"), kind_name);

TEST_P(KeyUses, AreWrittenWhenTheyAreSavedAndNotBefore) {
  use.note("k", today);
  use.note("gone", today);
  EXPECT_EQ(use.of("k"), today);
  EXPECT_EQ(kept(), std::nullopt);
  use.save(store);
  EXPECT_EQ(kept(), today);
  EXPECT_EQ(use.of("k"), std::nullopt);
}

TEST_P(KeyUses, NeverGoBack) {
  use.note("k", today + std::chrono::minutes(1));
  use.note("k", today);
  use.save(store);
  EXPECT_EQ(kept(), today + std::chrono::minutes(1));
  use.note("k", today);  // another manager's clock
  use.save(store);
  EXPECT_EQ(kept(), today + std::chrono::minutes(1));
}

}  // namespace
}  // namespace mp::test
