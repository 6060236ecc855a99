// What is rehearsed is seen by the work itself and leaves nothing; a part that fails leaves the
// rest of its transaction alone.
#include "store/test_database.hpp"

#include <atomic>
#include <thread>

namespace mp::test {
namespace {

class Rehearsing : public StoreTest {};
INSTANTIATE_TEST_SUITE_P(Both, Rehearsing, testing::Values("sqlite", "postgresql"), kind_name);

TEST_P(Rehearsing, LeavesNothingAndTellsNobody) {
  Cluster home = add(cluster("main"));
  std::atomic<int> told{0};
  const auto changed = store->on_change([&](std::int64_t) { ++told; });
  // Without nouns it is the listener's own start.
  const auto stale = store->on_stale([&](const Nouns& nouns) { told += nouns.empty() ? 0 : 1; });
  const auto before = store->figures();
  store->rehearse(actor, [&](Writer& db) {
    Service made = service("web", home.id);
    db.insert(made);
    home.description = "another";
    db.update(home);
    EXPECT_EQ(made.id, 1);
    EXPECT_TRUE(db.find<Service>(made.id)) << "the work itself sees it";
    EXPECT_EQ(db.changes_after(0, 10).size(), 3U);
  });
  EXPECT_EQ(count<Service>(), 0);
  EXPECT_EQ(find<Cluster>(home.id)->description, "a test's");
  EXPECT_EQ(changes().size(), 1U);
  EXPECT_EQ(store->revision(), 1);
  EXPECT_EQ(told, 0);
  EXPECT_EQ(store->figures().writes, before.writes);
  EXPECT_EQ(store->figures().failures, before.failures);
  const Service real = add(service("web", home.id));
  EXPECT_EQ(real.id, 1) << "the number was not used up";
  EXPECT_EQ(store->revision(), 2);
}

TEST_P(Rehearsing, ThrowsWhatTheWorkThrows) {
  const Cluster home = add(cluster("main"));
  const auto rehearse = [&] {
    store->rehearse(actor, [&](Writer& db) {
      Service made = service("web", home.id);
      db.insert(made);
      throw Error(Code::Permission, "");
    });
  };
  EXPECT_EQ(error_of(rehearse).code, Code::Permission);
  EXPECT_EQ(count<Service>(), 0);
}

// Rehearsals share batches with writes: each of those is whole, and numbered without gaps.
TEST_P(Rehearsing, LeavesTheWritesBesideItAlone) {
  const Cluster home = add(cluster("main"));
  std::vector<std::thread> threads;
  for (int number = 0; number < 16; ++number) {
    threads.emplace_back([&, number] {
      const auto work = [&](Writer& db) {
        Service made = service("s-" + std::to_string(number), home.id);
        db.insert(made);
      };
      for (int again = 0; again < 5; ++again) store->rehearse(actor, work);
      store->write(actor, work);
      for (int again = 0; again < 5; ++again)
        EXPECT_EQ(error_of([&] { store->rehearse(actor, work); }).code, Code::Conflict);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(count<Service>(), 16);
  const auto log = changes();
  ASSERT_EQ(log.size(), 17U);
  for (std::size_t at = 0; at < log.size(); ++at)
    EXPECT_EQ(log[at].revision, static_cast<std::int64_t>(at) + 1);
  EXPECT_EQ(store->revision(), 17);
}

TEST_P(Rehearsing, APartThatFailsIsUndoneAlone) {
  const Cluster home = add(cluster("main"));
  store->write(actor, [&](Writer& db) {
    Service first = service("first", home.id);
    db.insert(first);
    const auto twice = [&] {
      Service other = service("other", home.id);
      db.insert(other);
      Service twin = service("first", home.id);
      db.insert(twin);
    };
    EXPECT_EQ(error_of([&] { db.attempt(twice); }).code, Code::Conflict);
    EXPECT_EQ(db.written_revision(), 2);
    db.undone([&] {
      Service other = service("undone", home.id);
      db.insert(other);
      EXPECT_EQ(other.id, 2);
    });
    Service second = service("second", home.id);
    db.attempt([&] { db.insert(second); });
    EXPECT_EQ(second.id, 2);
  });
  EXPECT_EQ(count<Service>(), 2);
  EXPECT_EQ(changes().size(), 3U);
}

// PostgreSQL refuses everything after an error, also when somebody has caught it.
TEST_P(Rehearsing, APartThatHidesADatabaseErrorFails) {
  const Cluster home = add(cluster("main"));
  store->write(actor, [&](Writer& db) {
    const auto hides = [&] {
      Cluster twin = cluster("main");
      EXPECT_THROW(db.insert(twin), Error);
    };
    EXPECT_EQ(error_of([&] { db.attempt(hides); }).code, Code::Internal);
    Service made = service("web", home.id);
    db.insert(made);
  });
  EXPECT_EQ(count<Service>(), 1);
}

}  // namespace
}  // namespace mp::test
