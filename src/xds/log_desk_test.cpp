// Streams of access logs without a network: what ends while one is let in, or cannot be checked.
#include "xds/log_stream.hpp"
#include "xds/server_fixture.hpp"

#include "envoy/service/accesslog/v3/als.pb.h"

namespace mp::xds {
namespace {

constexpr int permission_denied = 7;
constexpr int unauthenticated = 16;
constexpr Milliseconds overlap{3'600'000};

class Nowhere final : public LogSink {
 public:
  void prepare(const LogSource&) override {}
  void take(const LogSource&, const LogMessage&) override {}
};

class EndedLine final : public Line {
 public:
  std::size_t write(std::vector<Message>) override { return 0; }
  void read() override { is_in = true; }
  void finish(int status, const std::string&) override { ended = status; }
  void abort() override {}
  std::atomic<bool> is_in{false};
  std::atomic<int> ended{0};
};

// Runs `meanwhile` between its answer and who asked.
class BusyGate final : public Gate {
 public:
  Admission admit(std::string_view, const NodeInfo& node) override {
    const Admission answer{.cluster_id = 1, .proxy_id = node.id, .key_valid_until = until()};
    if (meanwhile) meanwhile();
    return answer;
  }
  void admit_reader(std::string_view, std::string_view) override {}
  std::optional<Time> check(std::string_view, std::int64_t) override {
    ++checks;
    if (away) throw Error{Code::Unavailable, ""};
    return until();
  }
  void end_at(Time time) { end = time.time_since_epoch().count(); }

  std::function<void()> meanwhile;
  std::atomic<bool> away{false};
  std::atomic<int> checks{0};

 private:
  std::optional<Time> until() const {
    const std::int64_t time = end;
    return time == 0 ? std::nullopt : std::optional(Time{Milliseconds{time}});
  }
  std::atomic<std::int64_t> end{0};
};

struct LogDeskTest : testing::Test {
  ~LogDeskTest() override {
    if (stream) stream->on_gone();
    desk.stop();
  }
  void arrive() {
    stream = desk.add({.channel = Channel::Logs, .cluster_key = Secret{"key"}, .peer = ""}, line);
    LogMessage message;
    message.mutable_identifier()->mutable_node()->set_id("edge");
    stream->on_message(message.SerializeAsString());
  }
  bool ends_with(int status) {
    return eventually([&] {
      desk.tick(clock.now());
      return line.ended == status;
    });
  }

  ManualClock clock{Time{Milliseconds{1'000'000}}};
  Nowhere sink;
  Counters counters;
  BusyGate gate;
  EndedLine line;
  std::shared_ptr<LogStream> stream;
  LogDesk desk{gate, clock, &sink, counters};
};

TEST_F(LogDeskTest, AKeyThatIsRotatedWhileItLetsInEndsAllTheSame) {
  gate.meanwhile = [this] {
    gate.end_at(clock.now() + overlap);
    desk.recheck(1);
  };
  arrive();
  ASSERT_TRUE(eventually([&] { return line.is_in && gate.checks == 1; }));
  clock.advance(overlap);
  EXPECT_TRUE(ends_with(unauthenticated));
}

TEST_F(LogDeskTest, AProxyThatIsDeletedWhileItIsLetInEnds) {
  gate.meanwhile = [this] { desk.close_proxy("edge", "deleted"); };
  arrive();
  EXPECT_TRUE(ends_with(permission_denied));
  EXPECT_FALSE(line.is_in);
}

TEST_F(LogDeskTest, WhatCannotBeCheckedIsCheckedAgain) {
  arrive();
  ASSERT_TRUE(eventually([&] { return line.is_in.load(); }));
  gate.away = true;
  gate.end_at(clock.now() + overlap);
  desk.recheck(1);
  ASSERT_TRUE(eventually([&] { return gate.checks > 0; }));
  gate.away = false;
  const int before = gate.checks;
  ASSERT_TRUE(eventually([&] {
    clock.advance(key_check_pause);
    desk.tick(clock.now());
    return gate.checks > before;
  }));
  clock.advance(overlap);
  EXPECT_TRUE(ends_with(unauthenticated));
}

}  // namespace
}  // namespace mp::xds
