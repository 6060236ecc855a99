// From a cluster's row to where its records go: the switches and the endpoint are followed, also at
// a manager to which no proxy of the cluster is connected.
#include "xds/log_report.hpp"

#include "store/test_database.hpp"

#include "envoy/service/accesslog/v3/als.pb.h"

#include <thread>

namespace mp::xds {
namespace {

template <typename Condition>
bool eventually(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

struct LogReportTest : testing::Test {
  LogReportTest() {
    store.write(actor, [&](Writer& db) { db.insert(cluster); });
    hub.start();
  }
  ~LogReportTest() override { hub.stop(); }

  template <class Change>
  void change(Change edit) {
    store.write(actor, [&](Writer& db) {
      Cluster row = db.get<Cluster>(cluster.id);
      edit(row);
      db.update(row);
    });
    hub.wake();
  }
  bool goes_to(const std::string& endpoint) {
    return eventually([&] {
      const auto standing = relay.standing(cluster.id);
      return standing && standing->endpoint == endpoint;
    });
  }

  test::Database database{"sqlite"};
  ManualClock clock{Time{Milliseconds{1'000'000}}};
  Store store{database.options(), clock};
  const Actor actor{.name = "test"};
  Cluster cluster{.name = "main",
                  .description = "a test's",
                  .syslog_endpoint = "tcp://127.0.0.1:9",
                  .api_key = "mp_cluster_ab***",
                  .key_hash = "hash"};
  Status status;
  syslog::Relay relay{{}};
  Hub hub{store, status, clock};
  LogReport report{hub, relay};
};

TEST_F(LogReportTest, FollowsTheClustersRow) {
  const LogSource source{cluster.id, "proxy-1", "edge-1"};
  EXPECT_EQ(hub.config(cluster.id), nullptr);
  report.prepare(source);
  ASSERT_NE(hub.config(cluster.id), nullptr) << "it is known when prepare returns";
  EXPECT_TRUE(goes_to("tcp://127.0.0.1:9"));
  change([](Cluster& row) { row.syslog_endpoint = "udp://127.0.0.1:9"; });
  EXPECT_TRUE(goes_to("udp://127.0.0.1:9"));
  change([](Cluster& row) { row.log_auth = false; });
  EXPECT_TRUE(goes_to("")) << "no switch is on";
  change([](Cluster& row) { row.log_debug = true; });
  EXPECT_TRUE(goes_to("udp://127.0.0.1:9"));
  change([](Cluster& row) { row.is_active = false; });
  EXPECT_TRUE(goes_to(""));
}

TEST_F(LogReportTest, EntriesBecomeRecordsOfTheSwitchesOfTheMoment) {
  const LogSource source{cluster.id, "proxy-1", "edge-1"};
  LogMessage message;
  message.mutable_http_logs()->add_log_entry();
  report.take(source, message);
  EXPECT_EQ(relay.standing(cluster.id), std::nullopt) << "nothing is known of the cluster";
  report.prepare(source);
  const auto records = [&] {
    const auto standing = relay.standing(cluster.id);
    return standing->waiting > 0 || standing->dropped_full > 0;
  };
  report.take(source, message);
  EXPECT_FALSE(records()) << "nobody decided anything";
  change([](Cluster& row) { row.log_netflow = true; });
  EXPECT_TRUE(eventually([&] { return hub.config(cluster.id)->cluster->log_netflow; }));
  report.take(source, message);
  EXPECT_TRUE(eventually(records)) << "it waits for a server that is not there";
  EXPECT_EQ(status.counters().log_entries, 3u);
}

}  // namespace
}  // namespace mp::xds
