// Several stores on one PostgreSQL: what they tell each other.
#include "store/listener.hpp"

#include "store/test_database.hpp"
#include "store/url.hpp"

#include <atomic>
#include <mutex>
#include <thread>

namespace mp {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 60s;

template <class Check>
bool eventually(Check check) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!check()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

TEST(Notice, reads_what_it_wrote) {
  const Notice notice{.sender = "abc", .revision = 42, .stale = {"session", "user"}};
  EXPECT_EQ(to_text(notice), "abc 42 session,user");
  const auto read = parse_notice(to_text(notice));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->sender, "abc");
  EXPECT_EQ(read->revision, 42);
  EXPECT_EQ(read->stale, notice.stale);
  EXPECT_EQ(parse_notice(to_text({.sender = "abc", .revision = 7}))->stale, Nouns{});
  for (const char* text : {"", "abc", "abc ", "abc word-1", " 42 user", "abc 4x user"})
    EXPECT_FALSE(parse_notice(text)) << text;
}

class ListenerTest : public test::StoreTest {
 protected:
  // What a second manager is told.
  struct Told {
    std::mutex mutex;
    std::vector<std::int64_t> revisions;
    std::vector<Nouns> stale;
    std::size_t count() {
      const std::lock_guard lock(mutex);
      return revisions.size() + stale.size();
    }
  };

  ListenerTest()
      : second(database.options(), clock),
        changes(second.on_change([this](std::int64_t revision) {
          const std::lock_guard lock(told.mutex);
          told.revisions.push_back(revision);
        })),
        stale(second.on_stale([this](const Nouns& nouns) {
          const std::lock_guard lock(told.mutex);
          told.stale.push_back(nouns);
        })) {
    EXPECT_TRUE(eventually([&] { return second.is_current(); }));
    const std::lock_guard lock(told.mutex);
    told.stale.clear();
    told.revisions.clear();
  }

  void cut_listeners() {
    test::on_server(database.server(),
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname "
                    "= '" +
                        database.name() + "' AND query LIKE 'NOTIFY%'");
  }

  Told told;
  Store second;
  Subscription changes, stale;
};

TEST_P(ListenerTest, hears_commits_of_others_without_a_poll) {
  Cluster made = add(cluster("main"));
  EXPECT_TRUE(eventually([&] { return told.count() == 1; }));
  EXPECT_EQ(told.revisions, std::vector<std::int64_t>{1});
  EXPECT_EQ(second.revision(), 1);
  made.description = "changed";
  store->write(actor, [&](Writer& db) {
    db.update(made);
    User user = StoreTest::user("olga");
    db.insert(user);
  });
  EXPECT_TRUE(eventually([&] { return told.count() == 3; }));
  EXPECT_EQ(told.revisions, (std::vector<std::int64_t>{1, 3}));
  EXPECT_EQ(told.stale, std::vector<Nouns>{{"cluster"}}) << "nobody can remember what is new";
}

TEST_P(ListenerTest, tells_of_its_own_commits_before_the_write_returns) {
  Cluster made = cluster("main");
  second.write(actor, [&](Writer& db) { db.insert(made); });
  made.description = "changed";
  second.write(actor, [&](Writer& db) { db.update(made); });
  EXPECT_EQ(told.stale, std::vector<Nouns>{{"cluster"}});
  EXPECT_EQ(told.revisions, (std::vector<std::int64_t>{1, 2}));
}

TEST_P(ListenerTest, tells_nothing_of_a_write_that_was_undone) {
  Cluster made = add(cluster("main"));
  EXPECT_TRUE(eventually([&] { return told.count() == 1; }));
  EXPECT_THROW(store->write(actor,
                            [&](Writer& db) {
                              db.update(made);
                              throw invalid("name", "Is wrong");
                            }),
               Error);
  add(cluster("other"));
  EXPECT_TRUE(eventually([&] { return told.count() == 2; }));
  EXPECT_EQ(told.stale, std::vector<Nouns>{});
}

TEST_P(ListenerTest, has_anything_forgotten_that_it_may_have_missed) {
  cut_listeners();
  EXPECT_TRUE(eventually([&] {
    const std::lock_guard lock(told.mutex);
    return !told.stale.empty() && told.stale.back().empty();
  }));
  EXPECT_TRUE(eventually([&] { return second.is_current(); }));
  const auto before = told.count();
  add(cluster("main"));
  EXPECT_TRUE(eventually([&] { return told.count() > before; }));
}

TEST_P(ListenerTest, knows_when_a_notice_of_its_own_has_come_back) {
  const std::string target = parse_database_url(database.url(), database.data_dir()).target;
  std::atomic<int> heard{0};
  const Listener listener(target, "me",
                          {.heard = [&](const Notice&) { ++heard; }, .missed = [] {}});
  ASSERT_TRUE(eventually([&] { return listener.is_current(); }));
  EXPECT_FALSE(listener.await(7, 1ms));
  test::on_server(database.url(), "NOTIFY marchproxy_changes, 'me 7 user'");
  EXPECT_TRUE(listener.await(7, 60s));
  EXPECT_TRUE(listener.await(6, 0ms));
  EXPECT_FALSE(listener.await(8, 1ms));
  test::on_server(database.url(), "NOTIFY marchproxy_changes, 'other 9 user'");
  EXPECT_TRUE(eventually([&] { return heard == 1; })) << "of others alone";
  EXPECT_FALSE(listener.await(9, 1ms));
}

TEST_P(ListenerTest, lets_writes_through_while_nothing_is_heard) {
  Cluster made = add(cluster("main"));
  ASSERT_TRUE(eventually([&] { return store->is_current(); }));
  test::on_server(database.server(),
                  "ALTER DATABASE " + database.name() + " ALLOW_CONNECTIONS false");
  cut_listeners();
  EXPECT_TRUE(eventually([&] { return !store->is_current(); }));
  made.description = "changed";
  store->write(actor, [&](Writer& db) { db.update(made); });
  EXPECT_EQ(store->revision(), 2);
  test::on_server(database.server(),
                  "ALTER DATABASE " + database.name() + " ALLOW_CONNECTIONS true");
}

TEST_P(ListenerTest, stops_at_once) {
  const auto began = std::chrono::steady_clock::now();
  store.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 4s) << "less than any deadline";
}

INSTANTIATE_TEST_SUITE_P(Databases, ListenerTest, testing::Values("postgresql"), test::kind_name);

}  // namespace
}  // namespace mp
