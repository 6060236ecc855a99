// A database that goes away: 503 meanwhile, recovery unaided, and the truth about what was saved.
#include "store/test_cutter.hpp"
#include "store/test_database.hpp"

#include <sqlite3.h>

namespace mp::test {
namespace {

// PostgreSQL alone can go away on its own.
class Outage : public StoreTest {
 protected:
  void sql(const std::string& text) { on_server(database.url(), text); }
  void end_connections() {
    on_server(database.server(),
              "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" +
                  database.name() + "' AND application_name = 'marchproxy-manager'");
  }
  void allow(const std::string& limit) {
    on_server(database.server(),
              "ALTER DATABASE " + database.name() + " CONNECTION LIMIT " + limit);
    on_server(database.server(), "ALTER DATABASE " + database.name() + " ALLOW_CONNECTIONS " +
                                     (limit == "0" ? "false" : "true"));
  }
};
INSTANTIATE_TEST_SUITE_P(Postgresql, Outage, testing::Values("postgresql"), kind_name);

TEST_P(Outage, LostConnectionsAreReplacedUnseen) {
  add(cluster("main"));
  EXPECT_EQ(count<Cluster>(), 1);
  for (int round = 0; round < 3; ++round) {
    end_connections();
    EXPECT_EQ(count<Cluster>(), round + 1);
    end_connections();
    add(cluster("more-" + std::to_string(round)));
  }
}

TEST_P(Outage, WithoutADatabaseEverythingIsUnavailableUntilItIsBack) {
  add(cluster("main"));
  allow("0");
  end_connections();
  EXPECT_FALSE(store->healthy());
  EXPECT_EQ(error_of([&] { count<Cluster>(); }).code, Code::Unavailable);
  const Error error = error_of([&] { add(cluster("other")); });
  EXPECT_EQ(error.code, Code::Unavailable);
  EXPECT_EQ(error.headers.at(0).first, "Retry-After");
  EXPECT_EQ(error.message, "The database is not available");
  allow("100");
  EXPECT_TRUE(store->healthy());
  EXPECT_EQ(add(cluster("other")).id, 2);
  EXPECT_EQ(changes().size(), 2U);
}

TEST_P(Outage, AConnectionLostWithinAWorkUndoesIt) {
  const Error error = error_of([&] {
    store->write(actor, [&](Writer& db) {
      Cluster made = cluster("main");
      db.insert(made);
      end_connections();
      Cluster other = cluster("other");
      db.insert(other);
    });
  });
  EXPECT_EQ(error.code, Code::Unavailable);
  EXPECT_EQ(count<Cluster>(), 0);
  EXPECT_EQ(add(cluster("main")).id, 1);
}

// The server ends the connection while it commits: it is asked for the outcome on a new one.
TEST_P(Outage, ACommitThatWasUndoneIsToldAsSuch) {
  sql("CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS "
      "'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'");
  sql("CREATE CONSTRAINT TRIGGER stop AFTER INSERT ON clusters DEFERRABLE INITIALLY DEFERRED "
      "FOR EACH ROW WHEN (NEW.name = 'doomed') EXECUTE FUNCTION stop()");
  EXPECT_EQ(error_of([&] { add(cluster("doomed")); }).code, Code::Unavailable);
  EXPECT_EQ(count<Cluster>(), 0);
  add(cluster("main"));
  EXPECT_EQ(count<Cluster>(), 1);
}

TEST_P(Outage, ACommitWhoseAnswerWasLostIsNotToldAsUndone) {
  const std::string server = database.server();
  const auto colon = server.rfind(':');
  const std::string port = server.substr(colon + 1, server.rfind('/') - colon - 1);
  Cutter cutter(static_cast<std::uint16_t>(std::stoi(port)));
  StoreOptions options = database.options();
  options.url.replace(colon + 1, port.size(), std::to_string(cutter.port()));
  store = std::make_unique<Store>(options, clock);
  add(cluster("main"));
  cutter.swallow_next_commit();
  const Cluster made = add(cluster("saved"));
  EXPECT_TRUE(cutter.has_swallowed());
  EXPECT_EQ(find<Cluster>(made.id)->name, "saved");
  EXPECT_EQ(store->revision(), 2);
  EXPECT_EQ(count<Cluster>(), 2) << "and it was not done twice";
  store.reset();
}

TEST_P(Outage, APollSeesChangesThatNobodyTold) {
  Store other(database.options(), clock);
  other.write(actor, [&](Writer& db) {
    Cluster made = cluster("main");
    db.insert(made);
  });
  store->poll();
  EXPECT_EQ(store->revision(), 1);
  EXPECT_EQ(add(cluster("other")).id, 2);
  EXPECT_EQ(store->revision(), 2);
}

class SqliteOutage : public StoreTest {};
INSTANTIATE_TEST_SUITE_P(Sqlite, SqliteOutage, testing::Values("sqlite"), kind_name);

TEST_P(SqliteOutage, ALockedFileIsUnavailableAndComesBack) {
  add(cluster("main"));
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(database.file().c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_EQ(error_of([&] { add(cluster("other")); }).code, Code::Unavailable);
  EXPECT_EQ(count<Cluster>(), 1) << "readers go on";
  sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr);
  sqlite3_close(other);
  EXPECT_EQ(add(cluster("other")).id, 2);
}

TEST_P(SqliteOutage, AFullDiskIsUnavailableAndLosesNothing) {
  add(cluster("main"));
  store->write(actor,
               [](Writer& db) { db.query("PRAGMA max_page_count = 1", {}, {Column::Integer}); });
  const auto fill = [&] {
    for (int number = 0; number < 200; ++number) add(service("s-" + std::to_string(number), 1));
  };
  EXPECT_EQ(error_of(fill).code, Code::Unavailable);
  const auto kept = count<Service>();
  EXPECT_EQ(add(service("later", 1)).id, kept + 1);  // a new connection has no such limit
  EXPECT_EQ(count<Service>(), kept + 1);
  EXPECT_EQ(changes().size(), static_cast<std::size_t>(kept) + 2);
}

}  // namespace
}  // namespace mp::test
