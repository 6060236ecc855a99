// Streams of access logs against the real server, over loopback.
#include "xds/log_stream.hpp"

#include "xds/server_fixture.hpp"

#include "envoy/service/accesslog/v3/als.pb.h"

#include <gmock/gmock.h>

namespace mp::xds {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* log_method = "/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs";

// Remembers what came, from whom.
class Kept final : public LogSink {
 public:
  void prepare(const LogSource&) override { ++prepared; }
  void take(const LogSource& source, const LogMessage& message) override {
    const std::lock_guard lock{mutex};
    taken.push_back(source.proxy_id + "@" + std::to_string(source.cluster_id) + ": " +
                    std::to_string(message.http_logs().log_entry_size()));
  }
  std::vector<std::string> list() {
    const std::lock_guard lock{mutex};
    return taken;
  }
  std::atomic<int> prepared{0};

 private:
  std::mutex mutex;
  std::vector<std::string> taken;
};

LogMessage entries(int count, const std::string& node = {}) {
  LogMessage message;
  if (!node.empty()) {
    message.mutable_identifier()->mutable_node()->set_id(node);
    message.mutable_identifier()->set_log_name("marchproxy");
  }
  for (int at = 0; at < count; ++at) message.mutable_http_logs()->add_log_entry();
  return message;
}

struct LogStreamTest : ServerTest {
  LogStreamTest() {
    server = std::make_unique<Server>(ServerOptions{.listen = "127.0.0.1:0", .logs = &kept}, gate,
                                      status, clock);
    server->start();
  }
  ~LogStreamTest() override { server.reset(); }

  grpc::Status outcome(const std::string& key, const LogMessage& first) {
    TestClient client{channel(), key, log_method};
    client.send(first);
    return client.end();
  }
  // A client whose first message was taken.
  std::unique_ptr<TestClient> enter(const std::string& key, const std::string& node) {
    auto client = std::make_unique<TestClient>(channel(), key, log_method);
    const std::size_t before = kept.list().size();
    client->send(entries(1, node));
    EXPECT_TRUE(eventually([&] { return kept.list().size() > before; }));
    return client;
  }

  Kept kept;
};

TEST_F(LogStreamTest, EntriesBelongToWhoSendsThem) {
  const auto client = enter("good", "edge-1");
  client->send(entries(2));
  EXPECT_TRUE(eventually([&] { return kept.list().size() == 2; }));
  EXPECT_THAT(kept.list(), ElementsAre("edge-1@1: 1", "edge-1@1: 2"));
  EXPECT_EQ(kept.prepared, 1);
  EXPECT_EQ(status.counters().log_streams, 1);
  EXPECT_EQ(status.counters().streams, 0) << "not a discovery stream";
}

TEST_F(LogStreamTest, TheKeyIsChecked) {
  using grpc::StatusCode;
  EXPECT_EQ(outcome("", entries(1, "edge")).error_code(), StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(outcome("bad", entries(1, "edge")).error_code(), StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(outcome("good", entries(1, "foreign")).error_code(), StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(outcome("good", entries(1)).error_code(), StatusCode::INVALID_ARGUMENT) << "no node";
  EXPECT_EQ(outcome("good", entries(1, "a b")).error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(outcome("good", entries(1, "broken")).error_code(), StatusCode::INTERNAL);
  EXPECT_TRUE(kept.list().empty());
  EXPECT_EQ(status.counters().log_refusals, 6u);
}

TEST_F(LogStreamTest, NonsenseAndFloodsEndTheStream) {
  const auto nonsense = enter("good", "edge-1");
  discovery::DeltaDiscoveryRequest other;
  other.set_type_url("\n\x05x");  // field 2, where a message of records is expected
  nonsense->send(other);
  EXPECT_EQ(nonsense->end().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  const auto flood = enter("good", "edge-2");
  LogMessage huge = entries(0);
  huge.mutable_http_logs()->add_log_entry()->mutable_request()->set_path(
      std::string(5u << 20, 'p'));
  flood->send(huge);
  EXPECT_EQ(flood->end().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(LogStreamTest, EndsWhenItsKeyDoes) {
  gate.previous_until = clock.now() + Milliseconds{60'000};
  const auto client = enter("previous", "edge-1");
  clock.advance(Milliseconds{60'000});
  const grpc::Status end = client->end();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_THAT(end.error_message(), HasSubstr("expired"));
  EXPECT_TRUE(eventually([&] { return status.counters().log_streams == 0; }));
}

TEST_F(LogStreamTest, EndsWhenTheClusterIsDeactivatedOrTheProxyDeleted) {
  const auto first = enter("good", "edge-1");
  const auto second = enter("good", "edge-2");
  server->close_proxy("edge-2", "the proxy was deleted");
  EXPECT_EQ(second->end().error_code(), grpc::StatusCode::PERMISSION_DENIED);
  {
    const std::lock_guard lock{gate.mutex};
    gate.good_is_open = false;
  }
  server->recheck(1);
  EXPECT_EQ(first->end().error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(LogStreamTest, EndsWithTheServer) {
  const auto client = enter("good", "edge-1");
  server->stop();
  EXPECT_EQ(client->end().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(ServerTest, WithoutASinkNoLogsAreTaken) {
  TestClient client{channel(), "good", log_method};
  client.send(entries(1, "edge"));
  EXPECT_EQ(client.end().error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

}  // namespace
}  // namespace mp::xds
