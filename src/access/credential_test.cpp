#include "access/credential.hpp"

#include "store/test_database.hpp"

#include <thread>

namespace mp {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 60s;
const std::string key = "mp_cluster_" + std::string(43, 'k');

template <class Check>
bool eventually(Check check) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!check()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

class CredentialsTest : public test::StoreTest {
 protected:
  CredentialsTest() {
    user_ = add(user("olga"));
    session_ = {.id = "s1", .user_id = user_.id, .expires_at = clock.now() + 24h};
    store->write(actor, [&](Writer& db) { db.insert(session_, Logged::No); });
    cluster_ = cluster("main");
    cluster_.key_hash = sha256_hex(key);
    cluster_ = add(cluster_);
    token_ = tokens_.issue(TokenType::Access, user_.id, session_.id, 3600s).reveal();
    EXPECT_TRUE(eventually([&] { return store->is_current(); }));
  }

  std::int64_t reads() const { return store->figures().reads; }

  Tokens tokens_{Secret(std::string(32, 't')), clock};
  User user_;
  Session session_;
  Cluster cluster_;
  std::string token_;
};

TEST_P(CredentialsTest, ask_the_database_once) {
  Credentials credentials(*store, tokens_, clock);
  EXPECT_TRUE(credentials.by_token(token_).user);
  EXPECT_TRUE(credentials.by_cluster_key(key).cluster);
  const auto before = reads();
  for (int at = 0; at < 100; ++at) {
    EXPECT_EQ(credentials.by_token(token_).session_id, "s1");
    EXPECT_EQ(credentials.by_cluster_key(key).cluster->name, "main");
  }
  EXPECT_EQ(reads(), before);
}

TEST_P(CredentialsTest, remember_nobody_longer_than_he_is_good) {
  Credentials credentials(*store, tokens_, clock);
  EXPECT_TRUE(credentials.by_token(token_).user);
  clock.advance(3600s);
  EXPECT_FALSE(credentials.by_token(token_).user);
}

TEST_P(CredentialsTest, remember_a_rotated_key_until_its_end) {
  Credentials credentials(*store, tokens_, clock);
  store->write(actor, [&](Writer& db) {
    cluster_.previous_key_hash = cluster_.key_hash;
    cluster_.previous_key_until = clock.now() + 1h;
    cluster_.key_hash = sha256_hex("another");
    db.update(cluster_);
  });
  std::optional<Time> until;
  EXPECT_TRUE(credentials.by_cluster_key(key, until).cluster);
  EXPECT_EQ(until, clock.now() + 1h);
  EXPECT_TRUE(credentials.by_cluster_key(key).cluster);
  clock.advance(3600s);
  EXPECT_FALSE(credentials.by_cluster_key(key).cluster);
}

TEST_P(CredentialsTest, forget_what_this_manager_ends_before_the_write_returns) {
  Credentials credentials(*store, tokens_, clock);
  EXPECT_TRUE(credentials.by_token(token_).user);
  EXPECT_TRUE(credentials.by_cluster_key(key).cluster);
  store->write(actor, [&](Writer& db) {
    db.execute("DELETE FROM sessions", {});
    db.log("session", "s1", Action::Delete, std::nullopt, {});
  });
  EXPECT_FALSE(credentials.by_token(token_).user);
  store->write(actor, [&](Writer& db) {
    cluster_.is_active = false;
    db.update(cluster_);
  });
  EXPECT_FALSE(credentials.by_cluster_key(key).cluster);
}

TEST_P(CredentialsTest, keep_what_a_change_of_something_else_leaves_good) {
  Credentials credentials(*store, tokens_, clock);
  Service made = add(service("web", cluster_.id));
  EXPECT_TRUE(credentials.by_token(token_).user);
  const auto before = reads();
  store->write(actor, [&](Writer& db) { db.update(made); });
  EXPECT_TRUE(credentials.by_token(token_).user);
  EXPECT_EQ(reads(), before);
}

INSTANTIATE_TEST_SUITE_P(Databases, CredentialsTest, testing::Values("sqlite", "postgresql"),
                         test::kind_name);

class SharedCredentials : public CredentialsTest {};

TEST_P(SharedCredentials, forget_what_another_manager_ends) {
  Store second(database.options(), clock);
  Credentials credentials(second, tokens_, clock);
  ASSERT_TRUE(eventually([&] { return second.is_current(); }));
  const auto remembered = [&] {
    const auto before = second.figures().reads;
    EXPECT_TRUE(credentials.by_token(token_).user);
    return second.figures().reads == before;
  };
  ASSERT_TRUE(eventually(remembered));
  store->write(actor, [&](Writer& db) {
    user_.is_active = false;
    db.update(user_);
  });
  EXPECT_TRUE(eventually([&] { return !credentials.by_token(token_).user; }));
}

TEST_P(SharedCredentials, ask_the_database_while_others_cannot_be_heard) {
  Credentials credentials(*store, tokens_, clock);
  EXPECT_TRUE(credentials.by_token(token_).user);
  test::on_server(database.server(),
                  "ALTER DATABASE " + database.name() + " ALLOW_CONNECTIONS false");
  test::on_server(
      database.server(),
      "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '" +
          database.name() + "' AND query LIKE 'NOTIFY%'");
  EXPECT_TRUE(eventually([&] { return !store->is_current(); }));
  const auto before = reads();
  EXPECT_TRUE(credentials.by_token(token_).user);
  EXPECT_EQ(reads(), before + 1) << "it is not taken from memory";
  test::on_server(database.server(),
                  "ALTER DATABASE " + database.name() + " ALLOW_CONNECTIONS true");
  EXPECT_TRUE(eventually([&] { return store->is_current(); }));
}

INSTANTIATE_TEST_SUITE_P(Databases, SharedCredentials, testing::Values("postgresql"),
                         test::kind_name);

}  // namespace
}  // namespace mp
