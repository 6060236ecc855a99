// Conversations in the state-of-the-world variant.
#include "xds/conversation.hpp"

#include <gtest/gtest.h>

namespace mp::xds {
namespace {

struct SotwTest : testing::Test {
  Conversation talk{Flavour::StateOfTheWorld};
};

TEST_F(SotwTest, EveryAnswerForClustersAndListenersHoldsAll) {
  talk.give(snapshot(1, {{Type::Cluster, {{"a", "1"}, {"b", "1"}}}}));
  EXPECT_EQ(talk.ask(Type::Cluster), "cluster a=1 b=1");
  EXPECT_EQ(talk.accept(), "");
  EXPECT_EQ(talk.give(snapshot(2, {{Type::Cluster, {{"a", "1"}, {"b", "2"}}}})), "cluster a=1 b=2");
}

TEST_F(SotwTest, WhatIsMissingIsDeleted) {
  talk.give(snapshot(1, {{Type::Cluster, {{"a", "1"}, {"b", "1"}}}, {Type::Listener, {}}}));
  talk.ask(Type::Cluster);
  talk.ask(Type::Listener);
  talk.accept_all();
  EXPECT_EQ(talk.give(snapshot(2, {{Type::Cluster, {{"b", "1"}}}})), "cluster b=1");
  talk.accept();
  EXPECT_EQ(talk.give(snapshot(3, {})), "cluster");
}

TEST_F(SotwTest, OtherTypesGetOnlyWhatChanged) {
  talk.give(snapshot(1, {{Type::Endpoint, {{"a", "1"}, {"b", "1"}, {"c", "1"}}}}));
  EXPECT_EQ(talk.ask(Type::Endpoint, {"a", "b"}), "endpoint a=1 b=1");
  talk.accept({"a", "b"});
  EXPECT_EQ(talk.give(snapshot(2, {{Type::Endpoint, {{"a", "1"}, {"b", "2"}, {"c", "2"}}}})),
            "endpoint b=2");
}

TEST_F(SotwTest, AChangedSetOfNamesBringsTheNewOnes) {
  talk.give(snapshot(1, {{Type::Route, {{"a", "1"}, {"b", "1"}}}}));
  talk.ask(Type::Route, {"a"});
  EXPECT_EQ(talk.accept({"a", "b"}), "route b=1");
  EXPECT_EQ(talk.accept({"b"}), "");
  EXPECT_EQ(talk.give(snapshot(2, {{Type::Route, {{"a", "2"}, {"b", "1"}}}})), "");
}

TEST_F(SotwTest, AStaleRequestIsIgnored) {
  talk.give(snapshot(1, {{Type::Endpoint, {{"a", "1"}, {"b", "1"}}}}));
  talk.ask(Type::Endpoint, {"a"});
  talk.accept({"a"});
  talk.give(snapshot(2, {{Type::Endpoint, {{"a", "2"}, {"b", "1"}}}}));
  Request stale = talk.request_for(Type::Endpoint);
  stale.nonce = "1";
  stale.subscribe = {"a", "b"};
  EXPECT_EQ(talk.say(stale), "");
  EXPECT_EQ(talk.accept({"a", "b"}), "endpoint b=1");
}

TEST_F(SotwTest, NoNamesMeanAllOnlyBeforeAnyWasNamed) {
  talk.give(snapshot(1, {{Type::Cluster, {{"a", "1"}, {"b", "1"}}}}));
  EXPECT_EQ(talk.ask(Type::Cluster), "cluster a=1 b=1");
  EXPECT_EQ(talk.accept({"a"}), "cluster a=1");
  EXPECT_EQ(talk.accept({}), "");
  EXPECT_EQ(talk.give(snapshot(2, {{Type::Cluster, {{"a", "2"}, {"b", "2"}}}})), "");
}

TEST_F(SotwTest, AStarMeansAllBesideNames) {
  talk.give(snapshot(1, {{Type::Cluster, {{"a", "1"}, {"b", "1"}}}}));
  EXPECT_EQ(talk.ask(Type::Cluster, {"a"}), "cluster a=1");
  EXPECT_EQ(talk.accept({"*", "a"}), "cluster a=1 b=1");
}

TEST_F(SotwTest, AReconnectThatHoldsAllIsSentNothing) {
  const Content content{{Type::Cluster, {{"a", "1"}, {"b", "1"}}}};
  talk.give(snapshot(1, content));
  talk.ask(Type::Cluster);
  Request again = talk.request_for(Type::Cluster);
  again.version = talk.unanswered.front().version;
  Conversation later{Flavour::StateOfTheWorld};
  later.give(snapshot(9, content));
  EXPECT_EQ(later.say(again), "");
  EXPECT_EQ(later.give(snapshot(10, {{Type::Cluster, {{"a", "2"}, {"b", "1"}}}})),
            "cluster a=2 b=1");
}

// A first request of another stream, by a client that took everything up to `last` and has all
// clusters.
std::string reconnected(Content content, Type type, std::vector<std::string> names,
                        const Response& last) {
  Conversation later{Flavour::StateOfTheWorld};
  content[Type::Cluster]["all"] = "1";
  later.give(snapshot(9, content));
  Request clusters = later.request_for(Type::Cluster);
  clusters.version = version_of({resource("all", "1")});
  EXPECT_EQ(later.say(clusters), "");
  Request again = later.request_for(type);
  again.subscribe = std::move(names);
  again.version = last.version;
  return later.say(again);
}

TEST_F(SotwTest, AlsoOfTypesThatAreAskedForByName) {
  Content content{{Type::Endpoint, {{"a", "1"}, {"b", "1"}, {"c", "1"}}}};
  talk.give(snapshot(1, content));
  talk.ask(Type::Endpoint, {"a", "b"});
  talk.accept({"a", "b"});
  content[Type::Endpoint]["b"] = "2";
  talk.give(snapshot(2, content));
  const Response last = talk.unanswered.back();
  EXPECT_EQ(show(last), "endpoint b=2") << "and its version is that of both";
  EXPECT_EQ(reconnected(content, Type::Endpoint, {"a", "b"}, last), "");
  EXPECT_EQ(reconnected(content, Type::Endpoint, {"a", "b", "c"}, last), "endpoint a=1 b=2 c=1");
  content[Type::Endpoint]["a"] = "2";
  EXPECT_EQ(reconnected(content, Type::Endpoint, {"a", "b"}, last), "endpoint a=2 b=2");
}

TEST_F(SotwTest, ALoadThatWasCutOffIsSentAgain) {
  const Content content{{Type::Secret, {{"a", "1"}, {"b", "1"}}}};
  talk.give(snapshot(1, content));
  EXPECT_EQ(talk.ask(Type::Secret, {"a", "b"}), "secret a=1; secret b=1");
  EXPECT_NE(reconnected(content, Type::Secret, {"a", "b"}, talk.unanswered[0]), "");
  EXPECT_EQ(reconnected(content, Type::Secret, {"a", "b"}, talk.unanswered[1]), "");
}

// It has dropped the name since, and keeps the version.
TEST_F(SotwTest, AClientWithoutAProxyIsNotTakenToHoldWhatItsVersionTells) {
  const Content content{{Type::Listener, {{"service", "1"}}}};
  talk.give(snapshot(1, content));
  EXPECT_EQ(talk.ask(Type::Listener, {"service"}), "listener service=1");
  Conversation later{Flavour::StateOfTheWorld};
  later.give(snapshot(1, content));
  Request again = later.request_for(Type::Listener);
  again.subscribe = {"service"};
  again.version = talk.unanswered.front().version;
  EXPECT_EQ(later.say(again), "listener service=1");
}

// As long as nothing was sent on the stream.
TEST_F(SotwTest, TheFirstVersionTellsNothingLater) {
  const Content content{{Type::Cluster, {{"a", "1"}}}};
  talk.give(snapshot(1, content));
  Request again = talk.request_for(Type::Cluster);
  again.subscribe = {"b"};
  again.version = version_of({resource("a", "1")});
  EXPECT_EQ(talk.say(again), "cluster");
  EXPECT_EQ(talk.accept({"*"}), "cluster a=1");
}

// The port was in use, and then it was not.
TEST_F(SotwTest, WhatIsRefusedAndThenTakenWithTheNextResponseIsHeld) {
  talk.give(snapshot(1, {{Type::Cluster, {{"a", "1"}}}}));
  talk.ask(Type::Cluster);
  talk.wait(patience);
  EXPECT_EQ(talk.give(snapshot(2, {{Type::Cluster, {{"a", "1"}, {"b", "1"}}}})), "cluster a=1 b=1");
  EXPECT_EQ(talk.refuse("Error adding/updating cluster(s) a: no"), "");
  EXPECT_FALSE(talk.stream.quarantine().empty());
  EXPECT_EQ(talk.accept(), "");
  EXPECT_TRUE(talk.stream.quarantine().empty());
  EXPECT_EQ(talk.stream.held()[0].version, version_of({resource("a", "1"), resource("b", "1")}));
}

// What was refused as a whole did not take away what the client still has from another stream.
TEST_F(SotwTest, AFirstResponseThatIsRefusedIsRepeatedWithoutTheCulprit) {
  talk.give(snapshot(1, {{Type::Cluster, {{"bad", "1"}}}}));
  Request again = talk.request_for(Type::Cluster);
  again.version = "of what was there before";
  EXPECT_EQ(talk.say(again), "cluster bad=1");
  EXPECT_EQ(talk.refuse("no"), "cluster");
  EXPECT_EQ(talk.accept(), "");
}

// Envoy does not answer it when it has dropped the last name meanwhile.
TEST_F(SotwTest, ResponsesWithoutResourcesNeedNoAnswer) {
  talk.give(snapshot(1, {{Type::Secret, {{"a", "1"}}}}));
  talk.ask(Type::Secret, {"a"});
  talk.accept({"a"});
  EXPECT_EQ(talk.give(snapshot(2, {})), "secret");
  EXPECT_TRUE(talk.stream.progress().settled);
  EXPECT_EQ(talk.stream.progress().revision, 2);
}

TEST_F(SotwTest, WhatIsGoneChangesTheVersion) {
  talk.give(snapshot(1, {{Type::Endpoint, {{"a", "1"}, {"b", "1"}}}}));
  talk.ask(Type::Endpoint, {"a", "b"});
  talk.accept({"a", "b"});
  const Content next{{Type::Endpoint, {{"a", "1"}}}};
  EXPECT_EQ(talk.give(snapshot(2, next)), "endpoint");
  EXPECT_EQ(reconnected(next, Type::Endpoint, {"a"}, talk.unanswered.back()), "");
}

TEST_F(SotwTest, WhatWasRefusedIsNotRecalled) {
  talk.give(snapshot(1, {{Type::Secret, {{"a", "1"}, {"b", "1"}}}}));
  talk.ask(Type::Secret, {"a", "b"});
  talk.accept({"a", "b"});
  talk.accept({"a", "b"});
  const Content next{{Type::Secret, {{"a", "bad"}, {"b", "2"}}}};
  EXPECT_EQ(talk.give(snapshot(2, next)), "secret a=bad; secret b=2");
  EXPECT_EQ(talk.refuse("no", {"a", "b"}), "secret; secret a=1");
  talk.accept({"a", "b"});
  for (const Response& last : talk.unanswered)
    EXPECT_NE(reconnected(next, Type::Secret, {"a", "b"}, last), "");
}

TEST_F(SotwTest, ClustersThatGoAgainBringTheirEndpoints) {
  const Content content{{Type::Cluster, {{"a", "1"}}}, {Type::Endpoint, {{"a", "1"}}}};
  talk.give(snapshot(1, content));
  talk.ask(Type::Cluster);
  talk.ask(Type::Endpoint, {"a"});
  const std::string clusters = talk.unanswered[0].version, endpoints = talk.unanswered[1].version;
  Conversation later{Flavour::StateOfTheWorld};
  later.give(snapshot(2, {{Type::Cluster, {{"a", "2"}}}, {Type::Endpoint, {{"a", "1"}}}}));
  Request again = later.request_for(Type::Cluster);
  again.version = clusters;
  EXPECT_EQ(later.say(again), "cluster a=2");
  again = later.request_for(Type::Endpoint);
  again.subscribe = {"a"};
  again.version = endpoints;
  EXPECT_EQ(later.say(again), "endpoint a=1");
}

TEST_F(SotwTest, TheFirstAnswerIsGivenEvenWhenThereIsNothing) {
  talk.give(snapshot(1, {}));
  EXPECT_EQ(talk.ask(Type::Listener), "listener");
}

TEST_F(SotwTest, AClientWithoutAProxyAsksForItsListenerByName) {
  talk.give(
      snapshot(1, {{Type::Listener, {{"pay", "1"}, {"other", "1"}}}, {Type::Route, {{"r", "1"}}}}));
  EXPECT_EQ(talk.ask(Type::Listener, {"pay"}), "listener pay=1");
  EXPECT_EQ(talk.ask(Type::Route, {"r"}), "route r=1");
  talk.accept({"pay"});
  talk.accept({"r"});
  EXPECT_TRUE(talk.stream.progress().settled);
}

TEST_F(SotwTest, ARefusedListenerStaysAtItsLastGoodForm) {
  talk.give(snapshot(1, {{Type::Listener, {{"a", "1"}, {"b", "1"}}}}));
  talk.ask(Type::Listener);
  talk.accept();
  talk.give(snapshot(2, {{Type::Listener, {{"a", "bad"}, {"b", "2"}}}}));
  EXPECT_EQ(talk.refuse("Error adding/updating listener(s) a: no filter chains specified"), "");
  EXPECT_EQ(talk.give(snapshot(3, {{Type::Listener, {{"a", "bad"}, {"b", "3"}}}})),
            "listener a=1 b=3");
  talk.accept();
  EXPECT_EQ(talk.retry(), "listener a=bad b=3");
}

TEST_F(SotwTest, ANewOneThatIsRefusedIsLeftOut) {
  talk.give(snapshot(1, {{Type::Cluster, {{"a", "1"}, {"b", "bad"}}}}));
  talk.ask(Type::Cluster);
  talk.refuse("Error adding/updating cluster(s) b: no");
  EXPECT_EQ(talk.give(snapshot(2, {{Type::Cluster, {{"a", "2"}, {"b", "bad"}}}})), "cluster a=2");
}

TEST_F(SotwTest, TheCulpritOfAWholeResponseIsFoundOneTryAtATime) {
  talk.give(snapshot(1, {{Type::Cluster, {{"a", "1"}, {"b", "1"}, {"c", "1"}}}}));
  talk.ask(Type::Cluster);
  talk.accept();
  talk.give(snapshot(2, {{Type::Cluster, {{"a", "2"}, {"b", "bad"}, {"c", "2"}}}}));
  const std::string whole = "goo.gle/debugstr : Proto constraint validation failed (X)";
  EXPECT_EQ(talk.refuse(whole), "cluster a=2 b=1 c=1");
  EXPECT_EQ(talk.accept(), "cluster a=2 b=bad c=1");
  EXPECT_EQ(talk.refuse(whole), "cluster a=2 b=1 c=2");
  EXPECT_EQ(talk.accept(), "");
  ASSERT_EQ(talk.stream.quarantine().list().size(), 1U);
  EXPECT_EQ(talk.stream.quarantine().list()[0].resource, "b");
}

TEST_F(SotwTest, AChangedClusterGetsItsEndpointsAgain) {
  const Content content{{Type::Cluster, {{"a", "1"}}}, {Type::Endpoint, {{"a", "1"}}}};
  talk.give(snapshot(1, content));
  talk.ask(Type::Cluster);
  talk.ask(Type::Endpoint, {"a"});
  talk.accept();
  talk.accept({"a"});
  EXPECT_EQ(talk.give(snapshot(2, {{Type::Cluster, {{"a", "2"}}}, {Type::Endpoint, {{"a", "1"}}}})),
            "cluster a=2; endpoint a=1");
}

TEST_F(SotwTest, ClustersOfRemovedListenersGoLast) {
  talk.give(snapshot(1, {{Type::Cluster, {{"a", "1"}}}, {Type::Listener, {{"l", "1"}}}}));
  talk.ask(Type::Cluster);
  talk.ask(Type::Listener);
  talk.accept_all();
  EXPECT_EQ(talk.give(snapshot(2, {})), "listener");
  EXPECT_EQ(talk.accept(), "cluster");
}

}  // namespace
}  // namespace mp::xds
