#include "app/first_start.hpp"

#include "access/keys.hpp"
#include "base/secret.hpp"
#include "model/cluster.hpp"
#include "model/user.hpp"
#include "store/file.hpp"

#include <filesystem>

namespace mp {
namespace {

std::string in_data_dir(const Settings& settings, const char* name) {
  return (std::filesystem::path(settings.data_dir) / name).string();
}

void check_password(const Settings& settings) {
  Violations violations;
  check_password_rules(settings.admin.password, "admin", "admin.password", violations);
  if (violations.empty()) return;
  throw Error(Code::Validation, "admin.password: " + violations.front().issue);
}

Cluster default_cluster(const std::string& key) {
  return {.name = "default",
          .description = "Made by the first start",
          .syslog_endpoint = "localhost:514",
          .is_default = true,
          .api_key = mask_key(key),
          .key_hash = sha256_hex(key)};
}

bool is_empty(Reader& db) { return db.count<User>() == 0 && db.count<Cluster>() == 0; }

}  // namespace

FirstStart first_start(Store& store, const Settings& settings, HashGate& hashes) {
  bool empty = false;
  store.read([&](Reader& db) { empty = is_empty(db); });
  if (!empty) return {};
  FirstStart made;
  if (settings.admin.password.empty())
    made.admin_password = random_text(20);
  else
    check_password(settings);
  const Secret password =
      made.admin_password ? Secret(*made.admin_password) : settings.admin.password;
  const Secret key = settings.cluster.key.empty() ? new_cluster_key() : settings.cluster.key;
  if (settings.cluster.key.empty()) made.cluster_key = key.reveal();
  // The files come first: a crash between leaves a password that opens nothing, never a lost one.
  if (made.admin_password)
    create_private_file(in_data_dir(settings, "initial-admin-password"),
                        *made.admin_password + "\n");
  if (made.cluster_key)
    create_private_file(in_data_dir(settings, "default-cluster-key"), *made.cluster_key + "\n");
  const std::string hash = hashes.hash(password);
  store.write({.user_id = std::nullopt, .name = "manager", .address = "", .request_id = ""},
              [&](Writer& db) {
                if (!is_empty(db)) {  // another manager was quicker; its files tell
                  made = {};
                  return;
                }
                Cluster cluster = default_cluster(key.reveal());
                db.insert(cluster);
                User admin{
                    .username = "admin", .email = "admin@localhost.localdomain", .is_admin = true};
                admin.clusters = {cluster.id};
                admin.password_hash = hash;
                db.insert(admin);
              });
  return made;
}

}  // namespace mp
