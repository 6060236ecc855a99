// For the tests of this layer: an empty database of each kind, one per test, gone afterwards.
#pragma once

#include "model/cluster.hpp"
#include "model/mapping.hpp"
#include "model/proxy.hpp"
#include "model/service.hpp"
#include "model/user.hpp"
#include "store/store.hpp"

#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace mp::test {

// Runs one statement as the server's administrator; the first column of the first row.
inline std::string on_server(const std::string& url, const std::string& sql) {
  const std::unique_ptr<PGconn, void (*)(PGconn*)> connection(PQconnectdb(url.c_str()), PQfinish);
  const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQexec(connection.get(), sql.c_str()),
                                                              PQclear);
  const auto status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
    throw std::runtime_error(PQerrorMessage(connection.get()));
  return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
}

class Directory {
 public:
  Directory() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "marchproxy store.XXXXXX").string();
    if (!mkdtemp(pattern.data())) throw std::runtime_error("mkdtemp failed");
    path_ = pattern;
  }
  ~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// An empty database: a new SQLite file, or a new database of the server in
// MARCHPROXY_TEST_POSTGRES.
class Database {
 public:
  explicit Database(const std::string& kind) : kind_(kind) {
    if (kind_ == "sqlite") {
      url_ = "sqlite:";
      return;
    }
    const char* server = std::getenv("MARCHPROXY_TEST_POSTGRES");
    if (!server)
      throw std::runtime_error(
          "MARCHPROXY_TEST_POSTGRES is not set: run through scripts/with-postgres");
    server_ = server;
    name_ = "store_" + std::to_string(getpid()) + "_" + random_text(8);
    for (char& letter : name_) letter = static_cast<char>(std::tolower(letter));
    on_server(server_, "CREATE DATABASE " + name_);
    url_ = server_.substr(0, server_.rfind('/') + 1) + name_;
  }
  ~Database() {
    if (name_.empty()) return;
    try {
      on_server(server_, "DROP DATABASE IF EXISTS " + name_ + " WITH (FORCE)");
    } catch (const std::exception&) {
      ADD_FAILURE() << "the test's database was not dropped";
    }
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  bool is_postgresql() const { return kind_ == "postgresql"; }
  const std::string& url() const { return url_; }
  const std::string& server() const { return server_; }
  const std::string& name() const { return name_; }
  const std::string& data_dir() const { return directory_.path(); }
  std::string file() const { return directory_.path() + "/marchproxy.db"; }
  StoreOptions options() const { return {.url = url_, .data_dir = directory_.path()}; }

 private:
  const std::string kind_;
  Directory directory_;
  std::string server_, name_, url_;
};

// A store on an empty database, and the objects that tests put into it.
class StoreTest : public testing::TestWithParam<std::string> {
 protected:
  StoreTest() : database(GetParam()) { open(); }

  void open() { store = std::make_unique<Store>(database.options(), clock); }
  void reopen() {
    store.reset();
    open();
  }

  template <class T>
  T add(T object) {
    store->write(actor, [&](Writer& db) { db.insert(object); });
    return object;
  }
  template <class T>
  std::optional<T> find(decltype(T::id) id) {
    std::optional<T> found;
    store->read([&](Reader& db) { found = db.find<T>(id); });
    return found;
  }
  template <class T>
  std::int64_t count(const Selection& selection = {}) {
    std::int64_t number = 0;
    store->read([&](Reader& db) { number = db.count<T>(selection); });
    return number;
  }
  std::vector<ChangeEntry> changes(std::int64_t after = 0) {
    std::vector<ChangeEntry> entries;
    store->read([&](Reader& db) { entries = db.changes_after(after, 1000); });
    return entries;
  }

  static Cluster cluster(const std::string& name) {
    return {.name = name,
            .description = "a test's",
            .syslog_endpoint = "log:514",
            .api_key = "mp_cluster_ab***",
            .key_hash = sha256_hex(name)};
  }
  static Service service(const std::string& name, std::int64_t cluster_id) {
    return {.name = name, .ip_fqdn = "10.0.0.7", .collection = "pay", .cluster_id = cluster_id};
  }
  static User user(const std::string& name) {
    return {.username = name,
            .email = name + "@example.com",
            .clusters = {1},
            .password_hash = "$argon2id$x"};
  }

  Database database;
  ManualClock clock{*parse_time("2025-12-12T10:30:00Z")};
  Actor actor{.user_id = 7, .name = "olga", .address = "192.0.2.1", .request_id = "r-1"};
  std::unique_ptr<Store> store;
};

// The error that `work` ends with; fails the test when it ends well.
template <class F>
Error error_of(F work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return Error(Code::Internal, "no error");
}

inline std::string kind_name(const testing::TestParamInfo<std::string>& parameter) {
  return parameter.param;
}

}  // namespace mp::test
