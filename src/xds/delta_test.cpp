// Conversations in the incremental variant: subscriptions, order, coalescing and reconnects.
#include "xds/conversation.hpp"

#include "base/error.hpp"

#include <gtest/gtest.h>

namespace mp::xds {
namespace {

struct DeltaTest : testing::Test {
  Conversation talk{Flavour::Delta};
};

TEST_F(DeltaTest, FirstRequestWithoutNamesIsAWildcard) {
  talk.give(snapshot(1, {{Type::Cluster, {{"a", "1"}, {"b", "1"}}}}));
  EXPECT_EQ(talk.ask(Type::Cluster), "cluster a=1 b=1");
}

TEST_F(DeltaTest, AnswersWhenTheSnapshotComesLater) {
  EXPECT_EQ(talk.ask(Type::Cluster), "");
  EXPECT_EQ(talk.ask(Type::Endpoint, {"e"}), "");
  EXPECT_EQ(talk.give(snapshot(1, {{Type::Cluster, {{"a", "1"}}}, {Type::Endpoint, {{"e", "1"}}}})),
            "cluster a=1; endpoint e=1");
}

TEST_F(DeltaTest, AnAcknowledgementIsNotAnswered) {
  talk.give(snapshot(1, {{Type::Cluster, {{"a", "1"}}}}));
  talk.ask(Type::Cluster);
  EXPECT_EQ(talk.accept(), "");
}

TEST_F(DeltaTest, AWildcardIsAnsweredEvenWhenThereIsNothing) {
  talk.give(snapshot(1, {}));
  EXPECT_EQ(talk.ask(Type::Listener), "listener");
}

TEST_F(DeltaTest, NamesGetOnlyWhatTheyName) {
  talk.give(snapshot(1, {{Type::Endpoint, {{"a", "1"}, {"b", "1"}, {"c", "1"}}}}));
  EXPECT_EQ(talk.ask(Type::Endpoint, {"b"}), "endpoint b=1");
  talk.accept();
  EXPECT_EQ(talk.give(snapshot(2, {{Type::Endpoint, {{"a", "2"}, {"b", "2"}}}})), "endpoint b=2");
}

TEST_F(DeltaTest, ANameThatDoesNotExistIsRemoved) {
  talk.give(snapshot(1, {{Type::Endpoint, {{"a", "1"}}}}));
  EXPECT_EQ(talk.ask(Type::Endpoint, {"a", "ghost"}), "endpoint a=1; endpoint -ghost");
}

TEST_F(DeltaTest, AResubscribedNameIsSentAgain) {
  talk.give(snapshot(1, {{Type::Endpoint, {{"a", "1"}}}}));
  talk.ask(Type::Endpoint, {"a"});
  talk.accept();
  EXPECT_EQ(talk.ask(Type::Endpoint, {"a"}), "endpoint a=1");
}

TEST_F(DeltaTest, ALaterNameIsAddedToTheWildcard) {
  talk.give(snapshot(1, {{Type::Cluster, {{"a", "1"}, {"b", "1"}}}}));
  talk.ask(Type::Cluster);
  talk.accept();
  EXPECT_EQ(talk.ask(Type::Cluster, {"a"}), "cluster a=1");
  talk.accept();
  EXPECT_EQ(talk.give(snapshot(2, {{Type::Cluster, {{"a", "1"}, {"b", "2"}}}})), "cluster b=2");
}

TEST_F(DeltaTest, ADroppedNameUnderTheWildcardIsToldAgain) {
  talk.give(snapshot(1, {{Type::Cluster, {{"a", "1"}}}}));
  talk.ask(Type::Cluster, {"*", "a", "ghost"});
  talk.accept_all();
  EXPECT_EQ(talk.drop(Type::Cluster, {"a", "ghost"}), "cluster a=1; cluster -ghost");
}

TEST_F(DeltaTest, WithoutTheWildcardOnlyNamesRemain) {
  talk.give(snapshot(1, {{Type::Cluster, {{"a", "1"}, {"b", "1"}}}}));
  talk.ask(Type::Cluster, {"*", "a"});
  talk.accept_all();
  EXPECT_EQ(talk.drop(Type::Cluster, {"*"}), "");
  EXPECT_EQ(talk.give(snapshot(2, {{Type::Cluster, {{"a", "2"}, {"b", "2"}}}})), "cluster a=2");
}

TEST_F(DeltaTest, AWildcardAfterNamesBringsTheRest) {
  talk.give(snapshot(1, {{Type::Cluster, {{"a", "1"}, {"b", "1"}}}}));
  talk.ask(Type::Cluster, {"a"});
  talk.accept();
  EXPECT_EQ(talk.ask(Type::Cluster, {"*"}), "cluster b=1");
}

TEST_F(DeltaTest, ADroppedNameIsNotSentAnyMore) {
  talk.give(snapshot(1, {{Type::Endpoint, {{"a", "1"}, {"b", "1"}}}}));
  talk.ask(Type::Endpoint, {"a", "b"});
  talk.accept();
  EXPECT_EQ(talk.drop(Type::Endpoint, {"a"}), "");
  EXPECT_EQ(talk.give(snapshot(2, {{Type::Endpoint, {{"a", "2"}, {"b", "2"}}}})), "endpoint b=2");
}

TEST_F(DeltaTest, SubscriptionsCountEvenWithAStaleNonce) {
  talk.give(snapshot(1, {{Type::Endpoint, {{"a", "1"}, {"b", "1"}}}}));
  talk.ask(Type::Endpoint, {"a"});
  Request request = talk.request_for(Type::Endpoint);
  request.nonce = "long ago";
  request.subscribe = {"b"};
  EXPECT_EQ(talk.say(request), "endpoint b=1");
}

TEST_F(DeltaTest, AReconnectWithEqualVersionsSendsNothing) {
  const Content content{{Type::Cluster, {{"a", "1"}, {"b", "1"}}}, {Type::Endpoint, {{"a", "1"}}}};
  talk.give(snapshot(7, content));
  EXPECT_EQ(talk.ask(Type::Cluster, {}, {{"a", "1"}, {"b", "1"}}), "");
  EXPECT_EQ(talk.ask(Type::Endpoint, {"a"}, {{"a", "1"}}), "");
  EXPECT_EQ(talk.ask(Type::Listener, {"*"}, {{"gone", "1"}}), "listener -gone");
  talk.accept();
  EXPECT_EQ(talk.stream.progress(), (Progress{.revision = 7, .changed = 7, .settled = true}));
}

TEST_F(DeltaTest, AReconnectBringsWhatChangedMeanwhile) {
  talk.give(snapshot(7, {{Type::Cluster, {{"a", "2"}, {"c", "1"}, {"d", "1"}}}}));
  EXPECT_EQ(talk.ask(Type::Cluster, {}, {{"a", "1"}, {"b", "1"}, {"d", "1"}}), "cluster a=2 c=1");
  // A listener of the old stream may use it, and has yet to be named.
  EXPECT_EQ(talk.wait(longest_return), "cluster -b");
}

TEST_F(DeltaTest, AnUnchangedSnapshotOnlyMovesTheRevision) {
  const Content content{{Type::Cluster, {{"a", "1"}}}, {Type::Listener, {{"l", "1"}}}};
  talk.give(snapshot(1, content));
  talk.ask(Type::Cluster);
  talk.ask(Type::Listener);
  talk.accept_all();
  EXPECT_EQ(talk.give(snapshot(5, content)), "");
  EXPECT_EQ(talk.stream.progress(), (Progress{.revision = 5, .changed = 1, .settled = true}));
}

TEST_F(DeltaTest, ATypeThatIsNotServedIsIgnored) {
  Request request;
  request.type_url = "type.googleapis.com/envoy.service.runtime.v3.Runtime";
  EXPECT_EQ(talk.say(request), "");
}

TEST_F(DeltaTest, LimitsEndTheStream) {
  talk.give(snapshot(1, {}));
  EXPECT_THROW(talk.ask(Type::Endpoint, {std::string(max_name_length + 1, 'x')}), Error);
  EXPECT_THROW(talk.ask(Type::Endpoint, std::vector<std::string>(max_names + 1, "x")), Error);
}

// Order.

struct ProxyTest : DeltaTest {
  // As Envoy: clusters, then what they need, then listeners and scopes.
  void start(const Content& content) {
    talk.give(snapshot(1, content));
    talk.ask(Type::Cluster);
    std::vector<std::string> endpoints;
    for (const auto& [name, version] : content.at(Type::Endpoint)) endpoints.push_back(name);
    talk.ask(Type::Endpoint, endpoints);
    talk.ask(Type::Listener);
    if (content.contains(Type::Route)) talk.ask(Type::Route, {"r"});
    talk.ask(Type::ScopedRoute);
    talk.accept_all();
    ASSERT_TRUE(talk.stream.progress().settled);
  }
  const Content base{{Type::Cluster, {{"a", "1"}}},
                     {Type::Endpoint, {{"a", "1"}}},
                     {Type::Listener, {{"l", "1"}}},
                     {Type::ScopedRoute, {{"s", "1"}}}};
};

TEST_F(ProxyTest, ChangesGoPipelinedInOrder) {
  start(base);
  Content next = base;
  for (auto& [type, resources] : next) {
    for (auto& [name, version] : resources) version = "2";
  }
  EXPECT_EQ(talk.give(snapshot(2, next)), "cluster a=2; endpoint a=2; listener l=2; scope s=2");
}

TEST_F(ProxyTest, WhatUsesANewClusterWaitsUntilItIsAcknowledged) {
  start(base);
  Content next = base;
  next[Type::Cluster]["b"] = "1";
  next[Type::Endpoint]["b"] = "1";
  next[Type::ScopedRoute]["s"] = "to b";
  EXPECT_EQ(talk.give(snapshot(2, next)), "cluster b=1");
  EXPECT_EQ(talk.ask(Type::Endpoint, {"b"}), "endpoint b=1");
  EXPECT_EQ(talk.accept(), "scope s=to b");
  EXPECT_FALSE(talk.stream.progress().settled);
  talk.accept_all();
  EXPECT_EQ(talk.stream.progress(), (Progress{.revision = 2, .changed = 2, .settled = true}));
}

TEST_F(ProxyTest, AClusterThatDoesNotWarmHoldsTheOthersForASecondOnly) {
  start(base);
  Content next = base;
  next[Type::Cluster]["slow"] = "1";
  next[Type::ScopedRoute]["t"] = "1";
  EXPECT_EQ(talk.give(snapshot(2, next)), "cluster slow=1");
  EXPECT_EQ(talk.wait(longest_hold - Milliseconds{1}), "");
  ASSERT_TRUE(talk.stream.next_wake(talk.now));
  EXPECT_EQ(*talk.stream.next_wake(talk.now), talk.now + Milliseconds{1});
  EXPECT_EQ(talk.wait(Milliseconds{1}), "scope t=1");
}

// Envoy does not ask for its clusters while one of them warms.
TEST_F(ProxyTest, WhatUsesAClusterThatWarmsAcrossAReconnectWaitsForIt) {
  Content next = base;
  next[Type::Cluster]["b"] = "1";
  next[Type::Endpoint]["b"] = "1";
  next[Type::ScopedRoute]["s"] = "to b";
  talk.give(snapshot(2, next));
  EXPECT_EQ(talk.ask(Type::Listener, {}, {{"l", "1"}}), "");
  EXPECT_EQ(talk.ask(Type::ScopedRoute, {}, {{"s", "1"}}), "");
  EXPECT_EQ(talk.ask(Type::Endpoint, {"a", "b"}, {{"a", "1"}}), "endpoint b=1");
  EXPECT_EQ(talk.ask(Type::Cluster, {}, {{"a", "1"}, {"b", "1"}}), "scope s=to b");
}

TEST_F(ProxyTest, AFirstAnswerWaitsForAClusterOnItsWay) {
  talk.give(snapshot(1, base));
  talk.ask(Type::Cluster);
  talk.ask(Type::Endpoint, {"a"});
  talk.accept_all();
  Content next = base;
  next[Type::Cluster]["b"] = "1";
  next[Type::ScopedRoute]["s"] = "to b";
  EXPECT_EQ(talk.give(snapshot(2, next)), "cluster b=1");
  EXPECT_EQ(talk.ask(Type::Listener), "");
  EXPECT_EQ(talk.ask(Type::ScopedRoute), "");
  EXPECT_EQ(talk.accept(), "listener l=1; scope s=to b");
}

TEST_F(ProxyTest, AClientThatAsksForNoClustersIsNotHeldForLong) {
  Content next = base;
  next[Type::ScopedRoute]["s"] = "2";
  talk.give(snapshot(2, next));
  EXPECT_EQ(talk.ask(Type::ScopedRoute, {}, {{"s", "1"}}), "");
  ASSERT_TRUE(talk.stream.next_wake(talk.now));
  EXPECT_EQ(*talk.stream.next_wake(talk.now), talk.now + longest_hold);
  EXPECT_EQ(talk.wait(longest_hold), "scope s=2");
}

TEST_F(ProxyTest, RemovalsGoLastAndInReverse) {
  start(base);
  const Content next{{Type::Cluster, {{"b", "1"}}},
                     {Type::Endpoint, {}},
                     {Type::Listener, {{"m", "1"}}},
                     {Type::ScopedRoute, {}}};
  EXPECT_EQ(talk.give(snapshot(2, next)), "cluster b=1");
  EXPECT_EQ(talk.accept(), "listener m=1");
  EXPECT_EQ(talk.accept(), "scope -s; listener -l");
  EXPECT_EQ(talk.accept(), "");
  EXPECT_EQ(talk.accept(), "endpoint -a; cluster -a");
  EXPECT_FALSE(talk.stream.progress().settled);
  talk.accept_all();
  EXPECT_TRUE(talk.stream.progress().settled);
}

TEST_F(ProxyTest, AClusterThatChangedGetsItsEndpointsAgain) {
  start(base);
  Content next = base;
  next[Type::Cluster]["a"] = "2";
  EXPECT_EQ(talk.give(snapshot(2, next)), "cluster a=2; endpoint a=1");
}

TEST_F(ProxyTest, AlsoWhenItChangedWhileTheProxyWasAway) {
  Content next = base;
  next[Type::Cluster]["a"] = "2";
  talk.give(snapshot(2, next));
  EXPECT_EQ(talk.ask(Type::Cluster, {}, {{"a", "1"}}), "cluster a=2");
  EXPECT_EQ(talk.ask(Type::Endpoint, {"a"}, {{"a", "1"}}), "endpoint a=1");
}

TEST_F(ProxyTest, BurstsAreCoalescedByWhatIsInFlight) {
  start(base);
  Content next = base;
  const auto edit = [&](int n) {
    next[Type::ScopedRoute]["s"] = std::to_string(n);
    return snapshot(n, next);
  };
  EXPECT_EQ(talk.give(edit(2)), "scope s=2");
  EXPECT_EQ(talk.give(edit(3)), "");
  EXPECT_EQ(talk.give(edit(4)), "");
  EXPECT_EQ(talk.accept(), "scope s=4");
  EXPECT_EQ(talk.stream.progress().revision, 2);  // what 3 changed is on its way with 4
  talk.accept();
  EXPECT_EQ(talk.stream.progress(), (Progress{.revision = 4, .changed = 4, .settled = true}));
}

TEST_F(ProxyTest, ASlowAnswerOfOneTypeDoesNotHoldAnother) {
  start(base);
  Content next = base;
  next[Type::ScopedRoute]["s"] = "2";
  talk.give(snapshot(2, next));
  next[Type::Endpoint]["a"] = "2";
  EXPECT_EQ(talk.give(snapshot(3, next)), "endpoint a=2");
  next[Type::ScopedRoute]["s"] = "3";
  EXPECT_EQ(talk.give(snapshot(4, next)), "");
  EXPECT_EQ(talk.wait(patience), "scope s=3");
}

TEST_F(ProxyTest, ANewNameIsAnsweredWhileAPushIsInFlight) {
  Content content = base;
  content[Type::Route] = {{"r", "1"}};
  start(content);
  content[Type::Route]["r"] = "2";
  EXPECT_EQ(talk.give(snapshot(2, content)), "route r=2");
  content[Type::Route]["q"] = "1";
  EXPECT_EQ(talk.give(snapshot(3, content)), "");
  EXPECT_EQ(talk.ask(Type::Route, {"q"}), "route q=1");
  EXPECT_EQ(talk.accept_all(), "");
  EXPECT_TRUE(talk.stream.progress().settled);
}

TEST_F(ProxyTest, IsNotLevelBeforeItAskedForWhatAListenerNeeds) {
  start(base);
  Content next = base;
  next[Type::Listener]["tls"] = "1";
  next[Type::Secret]["certificate"] = "1";
  talk.give(snapshot(2, next));
  talk.accept();
  EXPECT_EQ(talk.stream.progress().revision, 1);
  EXPECT_EQ(talk.ask(Type::Secret, {"certificate"}), "secret certificate=1");
  EXPECT_EQ(talk.stream.progress().revision, 1);
  talk.accept();
  EXPECT_EQ(talk.stream.progress().revision, 2);
}

TEST_F(ProxyTest, WhatNobodyAsksForIsNotWaitedForLong) {
  start(base);
  Content next = base;
  next[Type::Listener]["tls"] = "1";
  next[Type::Secret]["unused"] = "1";
  talk.give(snapshot(2, next));
  talk.accept();
  EXPECT_FALSE(talk.stream.progress().settled);
  talk.wait(longest_expectation);
  EXPECT_TRUE(talk.stream.progress().settled);
}

TEST_F(ProxyTest, IsNotLevelBeforeItAskedForListeners) {
  talk.give(snapshot(1, base));
  talk.ask(Type::Cluster);
  talk.accept();
  talk.wait(longest_expectation);
  EXPECT_FALSE(talk.stream.progress().settled);
  EXPECT_EQ(talk.stream.progress().revision, 0);
}

TEST_F(ProxyTest, AChangeWithoutANewRevisionIsSentToo) {
  start(base);
  Content next = base;
  next[Type::ScopedRoute]["s"] = "2";
  EXPECT_EQ(talk.give(snapshot(1, next)), "scope s=2");
  EXPECT_FALSE(talk.stream.progress().settled);
  talk.accept();
  EXPECT_TRUE(talk.stream.progress().settled);
}

TEST_F(ProxyTest, FewScopesGoOneInAResponseAndManyTogether) {
  start(base);
  Content next = base;
  for (int n = 0; n < 3; ++n) next[Type::ScopedRoute]["x" + std::to_string(n)] = "1";
  EXPECT_EQ(talk.give(snapshot(2, next)), "scope x0=1; scope x1=1; scope x2=1");
  talk.accept_all();
  for (int n = 3; n < 100; ++n) next[Type::ScopedRoute]["x" + std::to_string(n)] = "1";
  talk.give(snapshot(3, next));
  EXPECT_EQ(talk.unanswered.size(), 1U);
  EXPECT_EQ(talk.unanswered.front().resources.size(), 97U);
}

TEST_F(ProxyTest, TellsWhatItHolds) {
  start(base);
  const auto held = talk.stream.held();
  ASSERT_EQ(held.size(), 4U);
  EXPECT_EQ(held[0].type_url, type_url(Type::Cluster));
  EXPECT_EQ(held[0].resources, 1U);
  EXPECT_EQ(held[0].version, version_of({resource("a", "1")}));
}

}  // namespace
}  // namespace mp::xds
