// Many writers at once: all durable, none twice, and who fails fails alone.
#include "store/test_database.hpp"

#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

namespace mp::test {
namespace {

// Holds works back until it is opened.
class Barrier {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    is_open_ = true;
    opened_.notify_all();
  }
  void arrive() {
    std::unique_lock lock(mutex_);
    ++arrived_;
    opened_.notify_all();
    opened_.wait_for(lock, std::chrono::seconds(20), [&] { return is_open_; });
  }
  void wait_for_arrival() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(opened_.wait_for(lock, std::chrono::seconds(20), [&] { return arrived_ > 0; }));
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool is_open_ = false;
  int arrived_ = 0;
};

class Writing : public StoreTest {
 protected:
  // Queues `works` while another one holds the writer thread, so that they end up in one batch.
  void together(const std::vector<std::function<void()>>& works) {
    Barrier barrier;
    std::vector<std::thread> threads;
    threads.emplace_back([&] { store->write(actor, [&](Writer&) { barrier.arrive(); }); });
    barrier.wait_for_arrival();
    for (const auto& work : works) threads.emplace_back(work);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (store->figures().queue < static_cast<std::int64_t>(works.size()) &&
           std::chrono::steady_clock::now() < deadline) {
      std::this_thread::yield();
    }
    barrier.open();
    for (auto& thread : threads) thread.join();
  }
};
INSTANTIATE_TEST_SUITE_P(Both, Writing, testing::Values("sqlite", "postgresql"), kind_name);

TEST_P(Writing, SixtyFourThreadsAllGetTheirRowsAndRevisions) {
  constexpr int threads = 64;
  constexpr int each = 10;
  const Cluster home = add(cluster("main"));
  std::mutex mutex;
  std::set<std::int64_t> ids, revisions;
  std::vector<std::thread> running;
  for (int thread = 0; thread < threads; ++thread) {
    running.emplace_back([&, thread] {
      for (int number = 0; number < each; ++number) {
        Service made =
            service("s-" + std::to_string(thread) + "-" + std::to_string(number), home.id);
        const auto revision = store->write(actor, [&](Writer& db) { db.insert(made); });
        EXPECT_TRUE(find<Service>(made.id)) << "read your own write";
        const std::lock_guard lock(mutex);
        ids.insert(made.id);
        revisions.insert(revision);
      }
    });
  }
  for (auto& thread : running) thread.join();
  EXPECT_EQ(ids.size(), 640U);
  EXPECT_EQ(revisions.size(), 640U);
  EXPECT_EQ(*revisions.rbegin(), store->revision());
  EXPECT_LT(store->figures().commits, store->figures().writes) << "several were committed together";
  reopen();
  EXPECT_EQ(count<Service>(), 640);
  EXPECT_EQ(changes().size(), 641U);
  EXPECT_EQ(store->revision(), 641);
}

TEST_P(Writing, AFailingWorkInABatchUndoesItselfAlone) {
  const Cluster home = add(cluster("main"));
  std::vector<std::function<void()>> works;
  for (int number = 0; number < 9; ++number) {
    works.push_back([&, number] {
      const auto work = [&] {
        store->write(actor, [&](Writer& db) {
          Service made = service("s-" + std::to_string(number), home.id);
          db.insert(made);
          Service twin = service(number % 3 == 1 ? made.name : made.name + "-b", home.id);
          db.insert(twin);
          if (number % 3 == 2) throw invalid("name", "Is not liked");
        });
      };
      if (number % 3 == 0)
        work();
      else
        EXPECT_EQ(error_of(work).code, number % 3 == 1 ? Code::Conflict : Code::Validation);
    });
  }
  const auto commits = store->figures().commits;
  together(works);
  EXPECT_LE(store->figures().commits, commits + 2);
  EXPECT_EQ(count<Service>(), 6);
  const auto log = changes();
  ASSERT_EQ(log.size(), 7U);
  for (std::size_t at = 0; at < log.size(); ++at)
    EXPECT_EQ(log[at].revision, static_cast<std::int64_t>(at) + 1);
}

TEST_P(Writing, AFailingWorkAloneLeavesNothing) {
  EXPECT_EQ(error_of([&] {
              store->write(actor, [&](Writer& db) {
                Cluster made = cluster("main");
                db.insert(made);
                throw Error(Code::Permission, "");
              });
            }).code,
            Code::Permission);
  EXPECT_EQ(count<Cluster>(), 0);
  EXPECT_TRUE(changes().empty());
  EXPECT_EQ(store->revision(), 0);
  EXPECT_EQ(add(cluster("main")).id, 1);
}

TEST_P(Writing, AWorkThatHidesADatabaseErrorFails) {
  const Cluster home = add(cluster("main"));
  const Error error = error_of([&] {
    store->write(actor, [&](Writer& db) {
      Cluster other = cluster("other");
      db.insert(other);
      Cluster twin = cluster("main");
      EXPECT_THROW(db.insert(twin), Error);
    });
  });
  EXPECT_EQ(error.code, Code::Internal);
  EXPECT_EQ(count<Cluster>(), 1);
}

TEST_P(Writing, AWriteWithinAWriteIsABugThatIsTold) {
  const Error error =
      error_of([&] { store->write(actor, [&](Writer&) { store->write(actor, [](Writer&) {}); }); });
  EXPECT_EQ(error.code, Code::Internal);
  EXPECT_EQ(error.log, "a write within a write");
}

TEST_P(Writing, AWriteThatHasNotBegunByItsDeadlineNeverRuns) {
  store.reset();
  StoreOptions options = database.options();
  options.write_deadline = Milliseconds(50);
  store = std::make_unique<Store>(options, clock);
  Barrier barrier;
  std::int64_t revision = 0;
  std::thread first([&] {
    revision = store->write(actor, [&](Writer& db) {
      Cluster made = cluster("slow");
      db.insert(made);
      barrier.arrive();
    });
  });
  barrier.wait_for_arrival();
  bool ran = false;
  EXPECT_EQ(error_of([&] { store->write(actor, [&](Writer&) { ran = true; }); }).code,
            Code::Unavailable);
  barrier.open();
  first.join();
  EXPECT_EQ(revision, 1) << "one that has begun is waited for";
  store->write(actor, [](Writer&) {});
  EXPECT_FALSE(ran);
}

TEST_P(Writing, AFullQueueRefuses) {
  store.reset();
  StoreOptions options = database.options();
  options.queue_limit = 2;
  store = std::make_unique<Store>(options, clock);
  const auto nothing = [&] { store->write(actor, [](Writer&) {}); };
  Barrier barrier;
  std::vector<std::thread> threads;
  threads.emplace_back([&] { store->write(actor, [&](Writer&) { barrier.arrive(); }); });
  barrier.wait_for_arrival();
  threads.emplace_back(nothing);
  threads.emplace_back(nothing);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (store->figures().queue < 2 && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  EXPECT_EQ(error_of(nothing).code, Code::Unavailable);
  barrier.open();
  for (auto& thread : threads) thread.join();
}

TEST_P(Writing, ReadersOfTheLogAreToldAfterTheCommit) {
  std::vector<std::int64_t> told;
  std::mutex mutex;
  const auto subscription = store->on_change([&](std::int64_t revision) {
    EXPECT_EQ(changes(revision - 1).size(), 1U) << "visible to others already";
    const std::lock_guard lock(mutex);
    told.push_back(revision);
  });
  add(cluster("main"));
  store->write(actor, [](Writer& db) {
    db.execute("DELETE FROM sessions WHERE id = :id", {{"id", "none"}});
  });
  add(cluster("other"));
  EXPECT_EQ(told, (std::vector<std::int64_t>{1, 2}));
}

// SQLite carries its log over into the file only when no reader holds an older state.
TEST_P(Writing, ReadersBetweenCommitsDoNotKeepTheLogFromEnding) {
  if (database.is_postgresql()) return;
  constexpr int rounds = 60;
  const std::string large(512 * 1024, 'x');
  for (int round = 0; round < rounds; ++round) {
    store->write(actor, [&](Writer& db) {
      db.execute("INSERT INTO meta (key, value) VALUES (:key, :value)",
                 {{"key", "large-" + std::to_string(round)}, {"value", large}});
    });
    store->read([&](Reader& db) {
      const auto rows =
          db.query("SELECT COUNT(*) FROM meta WHERE key LIKE 'large-%'", {}, {Column::Integer});
      EXPECT_EQ(std::get<std::int64_t>(rows.at(0).at(0)), round + 1);
    });
  }
  EXPECT_LT(std::filesystem::file_size(database.file() + "-wal"), 20U << 20U);
}

}  // namespace
}  // namespace mp::test
