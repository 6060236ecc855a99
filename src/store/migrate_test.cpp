// The schema: complete, the same however one got there, and never touched when it is another
// program's.
#include "store/migrate.hpp"

#include "model/acme.hpp"
#include "model/api_key.hpp"
#include "model/certificate.hpp"
#include "model/issued_certificate.hpp"
#include "model/issuer.hpp"
#include "model/license.hpp"
#include "model/second_factor.hpp"
#include "store/test_database.hpp"

#include <algorithm>
#include <map>

namespace mp::test {
namespace {

const Time today = *parse_time("2025-12-12T10:30:00Z");

class Schema : public testing::TestWithParam<std::string> {
 protected:
  Schema() : database(GetParam()), vault(database.data_dir()) {}

  std::unique_ptr<Connection> connect(const Database& to) {
    return std::make_unique<Connection>(parse_database_url(to.url(), to.data_dir()), vault,
                                        Access::Write);
  }

  // "table.column type" or an index's text, for everything there is.
  std::vector<std::string> contents(Connection& connection) {
    const bool sqlite = connection.kind() == DatabaseKind::Sqlite;
    const std::string sql =
        sqlite ? "SELECT m.name || '.' || c.name || ' ' || LOWER(c.type) FROM sqlite_master m JOIN "
                 "pragma_table_info(m.name) c "
                 "WHERE m.type = 'table' UNION ALL SELECT sql FROM sqlite_master WHERE type = "
                 "'index' AND sql IS NOT NULL"
               : "SELECT table_name || '.' || column_name || ' ' || data_type || COALESCE(' ' || "
                 "collation_name, '') "
                 "FROM information_schema.columns WHERE table_schema = 'public' "
                 "UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'";
    std::vector<std::string> list;
    for (const Row& row : connection.query(sql, {}, {Column::Text}))
      list.push_back(std::get<std::string>(row[0]));
    connection.rollback();
    std::ranges::sort(list);
    return list;
  }

  Database database;
  ManualClock clock{today};
  Vault vault;
};
INSTANTIATE_TEST_SUITE_P(Both, Schema, testing::Values("sqlite", "postgresql"), kind_name);

TEST_P(Schema, EveryStoredFieldIsAColumnOfItsType) {
  const auto connection = connect(database);
  migrate(*connection, migrations(), today);
  const auto there = contents(*connection);
  const std::map<Column, std::string> types{{Column::Integer, "bigint"},
                                            {Column::Real, "double precision"},
                                            {Column::Text, "text"},
                                            {Column::Sealed, "text"}};
  for (const Description* type :
       {&describe<Cluster>, &describe<Service>, &describe<Mapping>, &describe<User>,
        &describe<Session>, &describe<Proxy>, &describe<Certificate>, &describe<Issuer>,
        &describe<IssuedCertificate>, &describe<License>, &describe<AcmeAccount>,
        &describe<Renewal>, &describe<KeptProof>, &describe<ApiKey>, &describe<SecondFactor>}) {
    const std::string table(type->plural);
    std::size_t columns = 0;
    for (const Field& field : type->fields) {
      if (!field.stored()) continue;
      ++columns;
      const std::string wanted =
          table + "." + std::string(field.name) + " " + types.at(field.shape->column);
      const auto begins = [&](const std::string& line) {
        return line == wanted || line.starts_with(wanted + " ");
      };
      EXPECT_TRUE(std::ranges::any_of(there, begins)) << wanted;
    }
    const auto of_table = [&](const std::string& line) { return line.starts_with(table + "."); };
    EXPECT_EQ(std::ranges::count_if(there, of_table), static_cast<std::ptrdiff_t>(columns))
        << table;
  }
}

TEST_P(Schema, EveryLimitIsHeldByTheDatabaseToo) {
  Store store(database.options(), clock);
  const Actor actor{.name = "test"};
  store.write(actor, [](Writer& db) {
    Cluster home{.name = "main", .description = "d", .syslog_endpoint = "log:514"};
    db.insert(home);
    Service service{
        .name = "a", .ip_fqdn = "10.0.0.7", .collection = "pay", .cluster_id = 1, .port = 80};
    db.insert(service);
    Mapping mapping{.cluster_id = 1, .protocols = {Protocol::Tcp}, .ports = {{80, 80}}};
    db.insert(mapping);
    User user{.username = "olga", .email = "o@example.com"};
    db.insert(user);
    Proxy proxy{
        .id = "p", .hostname = "edge", .name = "edge", .cluster_id = 1, .version = "v1.0.0"};
    db.insert(proxy);
    Certificate certificate{.name = "shop"};
    db.insert(certificate);
  });
  const auto refused = [&](const std::string& table, const std::string& column, const Cell& value) {
    EXPECT_THROW(store.write(actor,
                             [&](Writer& db) {
                               EXPECT_EQ(
                                   db.execute("UPDATE " + table + " SET " + column + " = :value",
                                              {{"value", value}}),
                                   1);
                             }),
                 Error)
        << table << "." << column;
  };
  for (const Description* type : {&describe<Cluster>, &describe<Service>, &describe<Mapping>,
                                  &describe<User>, &describe<Proxy>, &describe<Certificate>}) {
    for (const Field& field : type->fields) {
      if (!field.stored() || !field.writable()) continue;
      const std::string table(type->plural), column(field.name);
      const JsonType json = field.shape->json_type;
      const bool limited = field.rules.max < std::numeric_limits<std::int64_t>::max();
      if (json == JsonType::Boolean) refused(table, column, std::int64_t{2});
      // A proxy's name is its hostname unless set, and that may be longer.
      if (json == JsonType::String && limited && table + column != "proxiesname") {
        refused(table, column, std::string(static_cast<std::size_t>(field.rules.max) + 1, 'x'));
      }
      if (json == JsonType::String && !limited)
        refused(table, column, std::string("none of the names"));
      if (json == JsonType::Integer && limited) refused(table, column, field.rules.max + 1);
      if (!field.shape->nullable) refused(table, column, Cell());
    }
  }
}

TEST_P(Schema, StepByStepIsTheSameAsAtOnce) {
  std::vector<EmbeddedFile> files(migrations().begin(), migrations().end());
  files.push_back({"0900-more.sql",
                   "-- A later step.\nCREATE TABLE more (\n  id bigint PRIMARY KEY\n);\n"
                   "ALTER TABLE clusters ADD COLUMN more text;\n"});
  const auto fresh = connect(database);
  migrate(*fresh, files, today);
  const Database other(GetParam());
  const auto stepwise = connect(other);
  for (std::size_t steps = 1; steps <= files.size(); ++steps)
    migrate(*stepwise, std::span(files).first(steps), today);
  const auto there = contents(*fresh);
  EXPECT_EQ(there, contents(*stepwise));
  EXPECT_TRUE(std::ranges::find(there, "more.id bigint") != there.end());
}

TEST_P(Schema, ASecondStartChangesNothing) {
  const auto connection = connect(database);
  migrate(*connection, migrations(), today);
  const auto before = contents(*connection);
  migrate(*connection, migrations(), today + std::chrono::hours(1));
  EXPECT_EQ(contents(*connection), before);
  const auto rows = connection->query("SELECT version, name, applied_at FROM migrations", {},
                                      {Column::Integer, Column::Text, Column::Integer});
  ASSERT_EQ(rows.size(), migrations().size());
  EXPECT_EQ(rows[0], (Row{std::int64_t{1}, std::string("0001-first.sql"), to_milliseconds(today)}));
}

TEST_P(Schema, AnAppliedStepThatDiffersRefusesTheStart) {
  const auto connection = connect(database);
  migrate(*connection, migrations(), today);
  std::vector<EmbeddedFile> files(migrations().begin(), migrations().end());
  files[0].bytes = "CREATE TABLE other (\n  id bigint\n);\n";
  const Error error = error_of([&] { migrate(*connection, files, today); });
  EXPECT_EQ(error.message,
            "database: migration 0001-first.sql was applied in another form: this is another "
            "program's database");
}

TEST_P(Schema, ANewerSchemaRefusesTheStart) {
  const std::vector<EmbeddedFile> later{
      {"0907-later.sql", "CREATE TABLE later (\n  id bigint\n);\n"}};
  {
    const auto connection = connect(database);
    migrate(*connection, later, today);
  }
  const Error error = error_of([&] { Store(database.options(), clock); });
  EXPECT_EQ(error.message, "database schema 907 is newer than this program knows (" +
                               std::to_string(std::stoi(std::string(migrations().back().name))) +
                               "): start a newer manager");
}

TEST_P(Schema, AStepThatFailsLeavesNothing) {
  const auto connection = connect(database);
  std::vector<EmbeddedFile> files(migrations().begin(), migrations().end());
  files.push_back({"0900-bad.sql", "CREATE TABLE half (\n  id bigint\n);\nCREATE nonsense;\n"});
  EXPECT_THROW(migrate(*connection, files, today), Error);
  EXPECT_TRUE(contents(*connection).empty());
  migrate(*connection, migrations(), today);
  EXPECT_FALSE(contents(*connection).empty());
}

}  // namespace
}  // namespace mp::test
