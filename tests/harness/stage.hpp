// A whole manager in this process, on an empty database of the wanted kind and with a clock that
// stands still. Tests ask it without a socket; every answer goes through the Judge. It never
// touches another test's database.
#pragma once

#include "app/manager.hpp"
#include "license_server.hpp"
#include "store/database.hpp"
#include "store/test_database.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace mp::test {

// Who asks: nothing, a user's session, a cluster's key, or a token as it is.
struct As {
  enum class Kind { Nobody, User, Cluster, Token };
  Kind kind = Kind::Nobody;
  std::string name{};
};

struct Account {
  std::string name;
  std::vector<std::int64_t> clusters{};
  bool is_admin = false;
};

class Stage {
 public:
  // `kind` is "sqlite" or "postgresql"; `given` are settings by name. The cluster `default` and the
  // user `admin` are there. Rate limits are far away unless they are given.
  explicit Stage(const std::string& kind, std::map<std::string, std::string> given = {});

  // One more manager on the same PostgreSQL.
  std::unique_ptr<Manager> another() {
    return std::make_unique<Manager>(settings(), clock_, license_server_);
  }
  Manager& manager() { return *manager_; }

  // Waits for the answer, at most 30 s; what the Judge finds fails the test.
  http::Response ask(http::Request request, const As& caller = {});
  // With a JSON body; an empty one sends none.
  http::Response ask(const std::string& method, const std::string& target, const As& caller = {},
                     const std::string& body = {});

  // Made by the admin; does nothing for a user that is known.
  std::int64_t add_user(const Account& account);
  // Straight into the database, whatever the licence allows.
  std::int64_t add_cluster(const std::string& name);
  // The admin enters a key that the licence server grants.
  void license(const SoldLicense& sold);
  LicenseServer& license_server() { return license_server_; }

  std::int64_t cluster_id(const std::string& name) const { return clusters_.at(name).id; }
  const std::string& cluster_key(const std::string& name) const { return clusters_.at(name).key; }
  // After a rotation.
  void take_cluster_key(const std::string& name, const std::string& key) {
    clusters_.at(name).key = key;
  }
  // A session that is good for some time yet.
  const std::string& token(const std::string& user);
  void forget_session(const std::string& user) { users_.at(user).token.clear(); }

  std::vector<ChangeEntry> changes_after(std::int64_t revision);
  std::int64_t revision();
  // Reads past the manager.
  void read(const std::function<void(Reader&)>& work);
  ManualClock& clock() { return clock_; }

  // The manager stops and starts again on what it kept.
  void restart();

  static const std::string& password();  // of every user here

 private:
  struct KnownUser {
    std::int64_t id = 0;
    std::string token{};
    Time signed_in{};
  };
  struct KnownCluster {
    std::int64_t id = 0;
    std::string key;
  };
  Settings settings() const;

  std::map<std::string, std::string> given_;
  Database database_;
  ManualClock clock_{*parse_time("2026-03-01T10:00:00Z")};
  LicenseServer license_server_;
  std::unique_ptr<Manager> manager_;
  Vault vault_;
  std::unique_ptr<Connection> log_;  // reads the change log past the manager
  std::map<std::string, KnownUser> users_;
  std::map<std::string, KnownCluster> clusters_;
};

}  // namespace mp::test
