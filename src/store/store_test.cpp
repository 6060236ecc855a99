// What is written is there, once, with its entry in the log; what breaks a rule is not.
#include "model/certificate.hpp"
#include "model/issuer.hpp"
#include "store/test_database.hpp"

#include <boost/json.hpp>

namespace mp::test {
namespace {

class Records : public StoreTest {};
INSTANTIATE_TEST_SUITE_P(Both, Records, testing::Values("sqlite", "postgresql"), kind_name);

TEST_P(Records, KeepsEveryFieldOfAService) {
  const Cluster home = add(cluster("main"));
  Service made = service("billing", home.id);
  made.auth_type = AuthType::Jwt;
  made.auth_config.jwt_expiry = 900;
  made.tls = {.enabled = true, .verify = false, .server_name = "billing.example"};
  made.health_check = HealthCheck{.path = "/up", .interval = 30};
  made.endpoints = {{.address = "10.0.0.8", .port = 81, .weight = 3}, {.address = "10.0.0.9"}};
  made.port = 8080;
  made.protocol = UpstreamProtocol::Http2;
  made.secret = Secret("first secret");
  made.previous_secret = Secret("older secret");
  made.previous_secret_until = clock.now() + std::chrono::hours(1);
  made = add(made);
  const auto found = find<Service>(made.id);
  ASSERT_TRUE(found);
  EXPECT_EQ(to_json(describe<Service>, &*found), to_json(describe<Service>, &made));
  EXPECT_EQ(found->secret->reveal(), "first secret");
  EXPECT_EQ(found->previous_secret->reveal(), "older secret");
  EXPECT_EQ(found->previous_secret_until, made.previous_secret_until);
  EXPECT_EQ(found->created_at, clock.now());
  EXPECT_EQ(found->revision, 1);
}

TEST_P(Records, KeepsACertificateAndItsKeySealed) {
  Certificate made{.name = "shop",
                   .common_name = "shop.example",
                   .subject_alt_names = {"shop.example", "*.shop.example"},
                   .source_type = CertificateSource::Auto,
                   .auto_renew = true,
                   .not_before = clock.now(),
                   .expires_at = clock.now() + std::chrono::hours(1),
                   .fingerprint_sha256 = "ab",
                   .revoked_at = clock.now(),
                   .revocation_reason = RevocationReason::KeyCompromise,
                   .cert_pem = "chain",
                   .key_pem = Secret("private"),
                   .ca_pem = "authority"};
  made = add(made);
  const auto found = find<Certificate>(made.id);
  ASSERT_TRUE(found);
  EXPECT_EQ(to_json(describe<Certificate>, &*found), to_json(describe<Certificate>, &made));
  EXPECT_EQ(found->cert_pem + found->key_pem.reveal() + found->ca_pem, "chainprivateauthority");
  store->read([&](Reader& db) {
    const auto row = db.query("SELECT key_pem FROM certificates", {}, {Column::Text});
    EXPECT_EQ(std::get<std::string>(row[0][0]).find("private"), std::string::npos);
    for (const ChangeEntry& entry : db.changes_after(0, 10)) {
      EXPECT_EQ(entry.after.find("private"), std::string::npos);
      EXPECT_EQ(entry.cluster_id, std::nullopt);
    }
  });
}

TEST_P(Records, KeepsAFingerprintOnceForAllClusters) {
  const Cluster home = add(cluster("main"));
  add(Certificate{.name = "a", .fingerprint_sha256 = "ab"});
  add(Certificate{.name = "b", .fingerprint_sha256 = "ab", .cluster_id = home.id});
  for (const std::optional<std::int64_t> cluster_id :
       {std::optional<std::int64_t>(), std::optional(home.id)}) {
    const Error error = error_of([&] {
      add(Certificate{.name = "c", .fingerprint_sha256 = "ab", .cluster_id = cluster_id});
    });
    EXPECT_EQ(error.code, Code::Conflict);
    EXPECT_EQ(error.details.at("field").as_string(), "fingerprint_sha256");
  }
}

TEST_P(Records, KeepsAnIssuer) {
  const Issuer made = add(Issuer{.certificate_pem = "certificate",
                                 .not_before = clock.now(),
                                 .expires_at = clock.now() + std::chrono::hours(1),
                                 .crl_pem = "list",
                                 .crl_number = 7,
                                 .crl_next_update = clock.now(),
                                 .key_pem = Secret("private")});
  const auto found = find<Issuer>(made.id);
  ASSERT_TRUE(found);
  EXPECT_EQ(to_json(describe<Issuer>, &*found), to_json(describe<Issuer>, &made));
  EXPECT_EQ(found->key_pem.reveal(), "private");
}

TEST_P(Records, KeepsTheOtherTypes) {
  const Cluster home = add(cluster("main"));
  EXPECT_EQ(find<Cluster>(home.id)->key_hash, home.key_hash);
  const Mapping mapping = add(Mapping{.cluster_id = home.id,
                                      .protocols = {Protocol::Tcp},
                                      .ports = {{80, 90}},
                                      .comments = "Grüße",
                                      .hosts = {"a.example"}});
  EXPECT_EQ(find<Mapping>(mapping.id)->ports, mapping.ports);
  EXPECT_EQ(find<Mapping>(mapping.id)->comments, "Grüße");
  const User someone = add(user("olga"));
  EXPECT_EQ(find<User>(someone.id)->clusters, someone.clusters);
  EXPECT_EQ(find<User>(someone.id)->last_login, std::nullopt);
  Session session{
      .id = "s-1", .user_id = someone.id, .created_at = clock.now(), .expires_at = clock.now()};
  store->write(actor, [&](Writer& db) { db.insert(session, Logged::No); });
  EXPECT_EQ(find<Session>("s-1")->user_id, someone.id);
  const Proxy proxy = add(Proxy{.id = "proxy-1",
                                .hostname = "edge",
                                .cluster_id = home.id,
                                .version = "v1.0.0",
                                .capabilities = {Capability::Ebpf},
                                .last_seen = clock.now(),
                                .metrics = ProxyMetrics{.active_connections = 2,
                                                        .requests_per_second = 0.1,
                                                        .cpu_usage = 12.5,
                                                        .memory_usage = 1}});
  EXPECT_EQ(find<Proxy>("proxy-1")->metrics->requests_per_second, 0.1);
  EXPECT_EQ(find<Proxy>("proxy-1")->capabilities, proxy.capabilities);
}

TEST_P(Records, AnUpdateCountsTheRevisionAndTheSecondWriterLoses) {
  Cluster first = add(cluster("main"));
  Cluster second = first;
  first.description = "of the first";
  clock.advance(Milliseconds(5000));
  store->write(actor, [&](Writer& db) { db.update(first); });
  EXPECT_EQ(first.revision, 2);
  second.description = "of the second";
  const Error error =
      error_of([&] { store->write(actor, [&](Writer& db) { db.update(second); }); });
  EXPECT_EQ(error.code, Code::PreconditionFailed);
  const auto found = find<Cluster>(first.id);
  EXPECT_EQ(found->description, "of the first");
  EXPECT_EQ(found->revision, 2);
  EXPECT_EQ(found->updated_at, found->created_at + Milliseconds(5000));
}

TEST_P(Records, AnUnloggedUpdateKeepsRevisionAndLogAndLosesToo) {
  User someone = add(user("olga"));
  User stale = someone;
  const auto before = store->revision();
  someone.last_login = clock.now();
  store->write(actor, [&](Writer& db) { db.update(someone, Logged::No); });
  EXPECT_EQ(find<User>(someone.id)->revision, 1);
  EXPECT_EQ(store->revision(), before);
  someone.email = "olga@elsewhere.example";
  store->write(actor, [&](Writer& db) { db.update(someone); });
  const Error error =
      error_of([&] { store->write(actor, [&](Writer& db) { db.update(stale, Logged::No); }); });
  EXPECT_EQ(error.code, Code::PreconditionFailed);
}

TEST_P(Records, AnUpdateThatChangesNothingIsNone) {
  Service web = add(service("web", add(cluster("main")).id));
  add(cluster("other"));
  clock.advance(Milliseconds(5000));
  bool changed = true;
  EXPECT_EQ(store->write(actor, [&](Writer& db) { changed = db.update(web); }), 3)
      << "the newest revision there is";
  EXPECT_FALSE(changed);
  EXPECT_EQ(web.revision, 1);
  EXPECT_EQ(find<Service>(web.id)->updated_at, web.created_at);
  EXPECT_EQ(changes().size(), 3U);
  web.secret = Secret("hidden fields count as well");
  EXPECT_EQ(store->write(actor, [&](Writer& db) { changed = db.update(web); }), 4);
  EXPECT_TRUE(changed);
  EXPECT_EQ(find<Service>(web.id)->secret, web.secret);
}

TEST_P(Records, WhatIsGoneIsNotFound) {
  Cluster gone = add(cluster("main"));
  store->write(actor, [&](Writer& db) { db.remove(gone); });
  EXPECT_FALSE(find<Cluster>(gone.id));
  const auto before = store->revision();
  EXPECT_EQ(error_of([&] { store->write(actor, [&](Writer& db) { db.remove(gone); }); }).code,
            Code::NotFound);
  EXPECT_EQ(error_of([&] { store->write(actor, [&](Writer& db) { db.update(gone); }); }).code,
            Code::NotFound);
  EXPECT_EQ(error_of([&] { store->read([&](Reader& db) { db.get<Cluster>(gone.id); }); }).message,
            "Cluster not found");
  EXPECT_EQ(store->revision(), before);
}

TEST_P(Records, ATakenNameIsAConflictThatNamesTheField) {
  const Cluster home = add(cluster("main"));
  const Cluster other = add(cluster("other"));
  add(service("billing", home.id));
  add(service("billing", other.id));
  const Error error = error_of([&] { add(service("billing", home.id)); });
  EXPECT_EQ(error.code, Code::Conflict);
  EXPECT_EQ(error.details.at("field").as_string(), "name");
  EXPECT_EQ(error.message, "A service with this name exists already");
  EXPECT_EQ(count<Service>(), 2);
  Cluster same_key = cluster("third");
  same_key.key_hash = home.key_hash;
  EXPECT_EQ(error_of([&] { add(same_key); }).details.at("field").as_string(), "key_hash");
  add(user("Olga"));
  User namesake = user("oLGA");
  namesake.email = "other@example.com";
  EXPECT_EQ(error_of([&] { add(namesake); }).details.at("field").as_string(), "username");
  User twin = user("ivan");
  twin.email = "OLGA@EXAMPLE.COM";
  EXPECT_EQ(error_of([&] { add(twin); }).details.at("field").as_string(), "email");
  const Proxy proxy{.id = "p-1", .hostname = "edge", .cluster_id = home.id, .version = "v1.0.0"};
  add(proxy);
  Proxy same = proxy;
  same.id = "p-2";
  EXPECT_EQ(error_of([&] { add(same); }).details.at("field").as_string(), "hostname");
  same = proxy;
  same.hostname = "other";
  EXPECT_EQ(error_of([&] { add(same); }).details.at("field").as_string(), "id");
}

TEST_P(Records, WhatIsReferredToStays) {
  const Cluster home = add(cluster("main"));
  const Service used = add(service("billing", home.id));
  EXPECT_EQ(error_of([&] { store->write(actor, [&](Writer& db) { db.remove(home); }); }).code,
            Code::Conflict);
  EXPECT_EQ(error_of([&] { add(service("lost", 4711)); }).code, Code::Conflict);
  EXPECT_TRUE(find<Cluster>(home.id));
  EXPECT_TRUE(find<Service>(used.id));
}

TEST_P(Records, AnIdNeverComesBack) {
  const Cluster home = add(cluster("main"));
  EXPECT_EQ(home.id, 1);
  const Service first = add(service("a", home.id));
  const Service last = add(service("b", home.id));
  EXPECT_EQ(last.id, first.id + 1);
  store->write(actor, [&](Writer& db) { db.remove(last); });
  reopen();
  EXPECT_EQ(add(service("c", home.id)).id, last.id + 1);
  Service given = service("given", home.id);
  given.id = 1000;
  EXPECT_EQ(add(given).id, 1000);
  EXPECT_EQ(add(service("after", home.id)).id, 1001);
}

TEST_P(Records, TheLogTellsWhoDidWhatInOrder) {
  Cluster home = add(cluster("main"));
  Service made = add(service("billing", home.id));
  made.ip_fqdn = "10.0.0.99";
  made.secret = Secret("not for the log");
  made.auth_config.jwt_secret = Secret("not for the log either");
  store->write(actor, [&](Writer& db) { db.update(made); });
  const auto revision = store->write(actor, [&](Writer& db) {
    db.remove(made);
    db.log("session", "9", Action::Create, std::nullopt, {{"event", "login"}});
  });
  const auto log = changes();
  ASSERT_EQ(log.size(), 5U);
  for (std::size_t at = 0; at < log.size(); ++at)
    EXPECT_EQ(log[at].revision, static_cast<std::int64_t>(at) + 1);
  EXPECT_EQ(revision, 5);
  EXPECT_EQ(store->revision(), 5);
  EXPECT_EQ(log[0].resource, "cluster");
  EXPECT_EQ(log[0].cluster_id, home.id);
  EXPECT_EQ(log[2].action, Action::Update);
  EXPECT_EQ(log[2].object_id, std::to_string(made.id));
  EXPECT_EQ(log[2].cluster_id, home.id);
  EXPECT_EQ(log[2].actor.name, "olga");
  EXPECT_EQ(log[2].actor.user_id, 7);
  EXPECT_EQ(log[2].actor.address, "192.0.2.1");
  EXPECT_EQ(log[2].actor.request_id, "r-1");
  EXPECT_EQ(log[2].time, clock.now());
  EXPECT_EQ(boost::json::parse(log[2].before).at("ip_fqdn").as_string(), "10.0.0.7");
  EXPECT_EQ(boost::json::parse(log[2].after).at("ip_fqdn").as_string(), "10.0.0.99");
  EXPECT_EQ(log[2].after.find("not for the log"), std::string::npos);
  EXPECT_EQ(log[0].after.find(home.key_hash), std::string::npos);
  EXPECT_FALSE(boost::json::parse(log[2].after).as_object().contains("status"));
  EXPECT_EQ(log[3].action, Action::Delete);
  EXPECT_TRUE(log[3].after.empty());
  EXPECT_EQ(log[4].cluster_id, std::nullopt);
  EXPECT_EQ(changes(3).size(), 2U);
  EXPECT_EQ(changes(3)[0].revision, 4);
}

TEST_P(Records, ASelectionFiltersOrdersAndPages) {
  const Cluster home = add(cluster("main"));
  for (const char* name : {"b", "a", "C", "d"}) {
    Service each = service(name, home.id);
    if (each.name == "d") each.collection = "web";
    add(each);
  }
  const auto names = [&](const Selection& selection) {
    std::string text;
    store->read([&](Reader& db) {
      for (const auto& each : db.select<Service>(selection)) text += each.name;
    });
    return text;
  };
  EXPECT_EQ(names({}), "baCd");
  EXPECT_EQ(names({.order = "name"}), "Cabd") << "by bytes, upper case first, on both databases";
  EXPECT_EQ(names({.order = "name DESC"}), "dbaC");
  EXPECT_EQ(names({.order = "created_at DESC"}), "dCab")
      << "the id breaks ties, in the same direction";
  EXPECT_EQ(names({.order = "id DESC", .limit = 2}), "dC");
  EXPECT_EQ(names({.order = "name", .limit = 2, .offset = 1}), "ab");
  EXPECT_EQ(names({.order = "name", .offset = 3}), "d");
  const Selection pay{.where = "collection = :collection AND LOWER(name) LIKE :search",
                      .values = {{"collection", "pay"}, {"search", "%c%"}}};
  EXPECT_EQ(names(pay), "C");
  EXPECT_EQ(count<Service>(pay), 1);
  EXPECT_EQ(count<Service>(), 4);
}

TEST_P(Records, PlainSqlReadsEveryKindOfColumn) {
  std::vector<Row> rows;
  store->write(actor, [&](Writer& db) {
    EXPECT_EQ(db.execute("INSERT INTO meta (key, value) VALUES (:key, :value)",
                         {{"key", "sealed"}, {"value", store->seal("plain")}}),
              1);
    rows = db.query(
        "SELECT value, CAST(:number AS double precision), CAST(:large AS bigint), :nothing FROM "
        "meta "
        "WHERE key = :key",
        {{"number", 0.1},
         {"large", std::int64_t{9007199254740993}},
         {"nothing", Cell()},
         {"key", "sealed"}},
        {Column::Sealed, Column::Real, Column::Integer, Column::Text});
  });
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0], (Row{std::string("plain"), 0.1, std::int64_t{9007199254740993}, Cell()}));
}

TEST_P(Records, ANulIsRefusedBeforeItCutsText) {
  const Cluster home = add(cluster("main"));
  Mapping mapping{.cluster_id = home.id, .protocols = {Protocol::Tcp}, .ports = {{80, 80}}};
  mapping.comments = std::string("a\0b", 3);
  const Error error = error_of([&] { add(mapping); });
  EXPECT_EQ(error.code, Code::Validation);
  EXPECT_EQ(error.violations.at(0).field, "comments");
  EXPECT_EQ(count<Mapping>(), 0);
}

TEST_P(Records, AReadSeesOneMoment) {
  const Cluster home = add(cluster("main"));
  store->read([&](Reader& db) {
    EXPECT_EQ(db.count<Service>(), 0);
    add(service("billing", home.id));
    EXPECT_EQ(db.count<Service>(), 0);
  });
  EXPECT_EQ(count<Service>(), 1);
}

TEST_P(Records, AReadCannotWrite) {
  add(cluster("main"));
  EXPECT_ANY_THROW(store->read(
      [&](Reader& db) { db.query("DELETE FROM clusters RETURNING id", {}, {Column::Integer}); }));
  EXPECT_EQ(count<Cluster>(), 1);
}

TEST_P(Records, WhatBreaksOffAReadLeavesItsConnectionUsable) {
  add(cluster("main"));
  for (int round = 0; round < 20; ++round) {
    EXPECT_THROW(store->read([&](Reader& db) {
      db.count<Cluster>();
      throw std::runtime_error("stop");
    }),
                 std::runtime_error);
  }
  EXPECT_EQ(error_of([&] {
              store->read([](Reader& db) { db.query("SELECT nonsense", {}, {Column::Text}); });
            }).code,
            Code::Internal);
  EXPECT_EQ(count<Cluster>(), 1);
  EXPECT_TRUE(store->healthy());
}

}  // namespace
}  // namespace mp::test
