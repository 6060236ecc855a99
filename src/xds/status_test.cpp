// What the registry tells, and when waits end.
#include "xds/status.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace mp::xds {
namespace {

constexpr std::int64_t cluster = 7;

struct StatusTest : testing::Test {
  void connect(StreamId stream, const std::string& proxy, std::int64_t cluster_id = cluster) {
    status.connected({.stream = stream,
                      .proxy_id = proxy,
                      .cluster_id = cluster_id,
                      .hostname = "host-" + proxy,
                      .held = [] { return std::vector<HeldType>{{"url", "v", 3}}; }},
                     now);
  }
  void settle(StreamId stream, std::int64_t revision, std::int64_t changed) {
    status.report(stream, {.revision = revision, .changed = changed, .settled = true}, now);
  }
  void refuse(StreamId stream, std::int64_t revision) {
    status.report_refusals(stream, {refusal(revision)}, now);
  }
  Refusal refusal(std::int64_t revision) const {
    return {.type = Type::Cluster,
            .resource = "c",
            .version = "1",
            .object = {.type = "service", .id = 5, .name = "billing"},
            .message = "no",
            .since = now,
            .revision = revision};
  }
  // Where the answer of a wait goes.
  std::shared_ptr<std::optional<State>> wait(std::int64_t revision,
                                             Milliseconds time = Milliseconds{1000}) {
    auto answer = std::make_shared<std::optional<State>>();
    status.when_settled(cluster, revision, now + time, [answer](State state) {
      EXPECT_FALSE(answer->has_value());
      *answer = state;
    });
    return answer;
  }

  Status status;
  Time now{Milliseconds{5000}};
};

TEST_F(StatusTest, AnUnknownProxyIsUnknown) {
  EXPECT_FALSE(status.get("p"));
  EXPECT_TRUE(status.of_cluster(cluster).empty());
}

TEST_F(StatusTest, FollowsAProxyThroughItsLife) {
  connect(1, "p");
  auto state = status.get("p");
  ASSERT_TRUE(state);
  EXPECT_TRUE(state->connected);
  EXPECT_EQ(state->state, State::Pending);
  EXPECT_EQ(state->hostname, "host-p");
  EXPECT_EQ(state->types.at(0).resources, 3U);
  now += Milliseconds{10};
  settle(1, 4, 4);
  state = status.get("p");
  EXPECT_EQ(state->state, State::Live);
  EXPECT_EQ(state->revision, 4);
  EXPECT_EQ(state->since, now);
  now += Milliseconds{10};
  settle(1, 5, 4);
  EXPECT_EQ(status.get("p")->since, now - Milliseconds{10});
  refuse(1, 5);
  EXPECT_EQ(status.get("p")->state, State::Rejected);
  EXPECT_EQ(status.get("p")->rejected.at(0).object.name, "billing");
  status.disconnected(1, now);
  state = status.get("p");
  EXPECT_EQ(state->state, State::Offline);
  EXPECT_FALSE(state->connected);
  EXPECT_TRUE(state->rejected.empty());
  EXPECT_TRUE(state->types.empty());
  status.forget("p");
  EXPECT_FALSE(status.get("p"));
}

TEST_F(StatusTest, ALateReportOfAReplacedStreamIsIgnored) {
  connect(1, "p");
  connect(2, "p");
  settle(1, 9, 9);
  status.disconnected(1, now);
  EXPECT_TRUE(status.get("p")->connected);
  EXPECT_EQ(status.get("p")->revision, 0);
}

TEST_F(StatusTest, ObjectsKnowWhoRefusesThem) {
  connect(1, "p");
  connect(2, "q");
  refuse(1, 3);
  refuse(2, 3);
  const auto refusals = status.object_refusals("service", 5);
  ASSERT_EQ(refusals.size(), 2U);
  EXPECT_EQ(refusals[0].proxy_id, "p");
  EXPECT_EQ(refusals[1].message, "no");
  EXPECT_EQ(status.cluster_refusals(cluster).size(), 2U);
  EXPECT_TRUE(status.object_refusals("service", 6).empty());
  EXPECT_TRUE(status.object_refusals("mapping", 5).empty());
  status.report_refusals(1, {}, now);
  EXPECT_EQ(status.object_refusals("service", 5).size(), 1U);
  status.disconnected(2, now);
  EXPECT_TRUE(status.object_refusals("service", 5).empty());
}

TEST_F(StatusTest, AWaitEndsWhenTheLastProxyIsLevel) {
  connect(1, "p");
  connect(2, "q");
  settle(1, 1, 1);
  settle(2, 1, 1);
  const auto answer = wait(2);
  settle(1, 2, 2);
  EXPECT_FALSE(*answer);
  settle(2, 3, 3);
  EXPECT_EQ(*answer, State::Live);
}

TEST_F(StatusTest, AWaitThatIsOverAlreadyEndsAtOnce) {
  connect(1, "p");
  settle(1, 5, 5);
  EXPECT_EQ(*wait(5), State::Live);
}

TEST_F(StatusTest, IdleWithoutProxiesOrWhenNothingChangedForThem) {
  EXPECT_EQ(*wait(1), State::Idle);
  connect(1, "p");
  settle(1, 4, 4);
  settle(1, 6, 4);
  EXPECT_EQ(*wait(5), State::Idle);
}

TEST_F(StatusTest, AnotherClustersProxiesDoNotCount) {
  connect(1, "p", cluster + 1);
  EXPECT_EQ(*wait(1), State::Idle);
}

TEST_F(StatusTest, RejectedOnlyByWhatCameWithOrAfterTheRevision) {
  connect(1, "p");
  refuse(1, 3);
  settle(1, 3, 3);
  EXPECT_EQ(*wait(3), State::Rejected);
  settle(1, 4, 4);
  EXPECT_EQ(*wait(4), State::Live);
}

TEST_F(StatusTest, PendingAtTheDeadline) {
  connect(1, "p");
  const auto answer = wait(2, Milliseconds{100});
  status.tick(now + Milliseconds{99});
  EXPECT_FALSE(*answer);
  status.tick(now + Milliseconds{100});
  EXPECT_EQ(*answer, State::Pending);
  settle(1, 2, 2);
}

TEST_F(StatusTest, PendingWhenTheClockIsSetBack) {
  connect(1, "p");
  status.tick(now);
  const auto answer = wait(2, Milliseconds{100});
  status.tick(now - Milliseconds{500});
  EXPECT_FALSE(*answer) << "clocks are corrected by less than a second all the time";
  status.tick(now - Milliseconds{60'000});
  EXPECT_EQ(*answer, State::Pending);
}

TEST_F(StatusTest, AProxyThatLeavesIsNotWaitedFor) {
  connect(1, "p");
  connect(2, "q");
  settle(1, 2, 2);
  const auto answer = wait(2);
  EXPECT_FALSE(*answer);
  status.disconnected(2, now);
  EXPECT_EQ(*answer, State::Live);
}

TEST_F(StatusTest, CloseEndsEveryWait) {
  connect(1, "p");
  const auto answer = wait(2);
  status.close();
  EXPECT_EQ(*answer, State::Pending);
  EXPECT_EQ(*wait(2), State::Pending);
}

TEST_F(StatusTest, ACallbackMayAskTheStatus) {
  connect(1, "p");
  std::optional<std::int64_t> seen;
  status.when_settled(cluster, 2, now + Milliseconds{100},
                      [&](State) { seen = status.get("p")->revision; });
  settle(1, 2, 2);
  EXPECT_EQ(seen, 2);
}

TEST_F(StatusTest, TellsWhereARevisionStands) {
  connect(1, "p");
  connect(2, "q");
  settle(1, 2, 2);
  const Time second = now;
  now += Milliseconds{10};
  refuse(1, 5);
  settle(1, 6, 5);
  const auto at = [&](std::int64_t revision) { return status.at_revision(cluster, revision); };
  EXPECT_EQ(at(1)[0].state, State::Live);
  EXPECT_EQ(at(2)[0].state, State::Live);
  EXPECT_EQ(at(2)[0].since, second);
  EXPECT_EQ(at(5)[0].state, State::Rejected);
  EXPECT_EQ(at(7)[0].state, State::Pending);
  EXPECT_EQ(at(2)[1].state, State::Pending);
  status.disconnected(2, now);
  EXPECT_EQ(at(2)[1].state, State::Offline);
}

}  // namespace
}  // namespace mp::xds
