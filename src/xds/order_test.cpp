// What a proxy refers to is there when it gets the reference, and stays until it has let go of it.
#include "xds/conversation.hpp"

#include <gtest/gtest.h>

namespace mp::xds {
namespace {

struct OrderTest : testing::Test {
  void start(const Content& content) {
    talk.give(snapshot(1, content));
    talk.ask(Type::Cluster);
    talk.ask(Type::Endpoint, {"a"});
    talk.ask(Type::Listener);
    talk.ask(Type::ScopedRoute);
    talk.accept_all();
    ASSERT_TRUE(talk.stream.progress().settled);
  }
  Conversation talk{Flavour::Delta};
  const Content base{{Type::Cluster, {{"a", "1"}}},
                     {Type::Endpoint, {{"a", "1"}}},
                     {Type::Listener, {{"l", "1"}}},
                     {Type::ScopedRoute, {{"s", "1"}}}};
};

TEST_F(OrderTest, TheFirstListenersWaitForClustersThatTheyUse) {
  talk.give(snapshot(1, {{Type::Cluster, {{"a", "1"}}}}));
  talk.ask(Type::Cluster);
  EXPECT_EQ(talk.give(snapshot(
                2, {{Type::Cluster, {{"a", "1"}, {"b", "1"}}}, {Type::Listener, {{"l", "1"}}}})),
            "");  // the first clusters are not acknowledged yet
  EXPECT_EQ(talk.ask(Type::Listener), "");
  EXPECT_EQ(talk.wait(longest_hold), "cluster b=1; listener l=1");
}

TEST_F(OrderTest, ASecretGoesWhenTheClusterThatUsedItHasChanged) {
  start(base);
  Content content = base;
  content[Type::Secret] = {{"s", "1"}};
  talk.give(snapshot(2, content));
  talk.ask(Type::Secret, {"s"});
  talk.accept_all();
  content[Type::Cluster]["a"] = "2";
  content.erase(Type::Secret);
  EXPECT_EQ(talk.give(snapshot(3, content)), "cluster a=2; endpoint a=1");
  EXPECT_EQ(talk.accept(), "secret -s");
}

// Two changes come as one: what the first took away goes when the one response is acknowledged.
TEST_F(OrderTest, AClusterStaysUntilTheRoutesThatUsedItHaveChanged) {
  Content content = base;
  content[Type::Cluster]["b"] = "1";
  start(content);
  content[Type::ScopedRoute]["s"] = "2";
  EXPECT_EQ(talk.give(snapshot(2, content)), "scope s=2");
  content[Type::Cluster].erase("b");
  content[Type::ScopedRoute]["s"] = "3";
  EXPECT_EQ(talk.give(snapshot(3, content)), "");
  content[Type::ScopedRoute]["s"] = "4";
  EXPECT_EQ(talk.give(snapshot(4, content)), "");
  EXPECT_EQ(talk.accept(), "scope s=4");
  EXPECT_EQ(talk.accept(), "cluster -b");
}

// A secret may end without a change that counts.
TEST_F(OrderTest, SnapshotsOfOneRevisionAreToldApart) {
  Content content = base;
  content[Type::Cluster]["b"] = "1";
  content[Type::ScopedRoute]["t"] = "1";
  start(content);
  content[Type::ScopedRoute]["s"] = "2";
  EXPECT_EQ(talk.give(snapshot(2, content)), "scope s=2");
  EXPECT_EQ(talk.give(snapshot(2, base)), "");
  EXPECT_EQ(talk.give(snapshot(3, base)), "");
  EXPECT_EQ(talk.accept(), "scope s=1");
  EXPECT_EQ(talk.accept(), "scope -t");
  EXPECT_EQ(talk.accept(), "cluster -b");
}

// The listeners were behind: the one that is gone went in their eyes later than its secret did.
TEST_F(OrderTest, ASecretStaysUntilTheListenerThatUsedItIsGone) {
  Content content = base;
  content[Type::Listener]["tls"] = "1";
  content[Type::Secret]["s"] = "1";
  talk.ask(Type::Secret, {"s"});
  start(content);
  content[Type::Listener]["l"] = "2";
  EXPECT_EQ(talk.give(snapshot(2, content)), "listener l=2");
  Content without = base;
  without[Type::Listener]["l"] = "3";
  talk.give(snapshot(3, without));
  talk.give(snapshot(4, without));
  EXPECT_EQ(talk.wait(patience), "listener l=3");
  without[Type::Listener]["l"] = "4";
  EXPECT_EQ(talk.give(snapshot(5, without)), "");
  EXPECT_EQ(talk.accept(), "");
  EXPECT_EQ(talk.accept(), "listener l=4");
  EXPECT_EQ(talk.accept(), "listener -tls; secret -s");
}

// It left in one snapshot and comes back in the third: what used it has let go of it in between,
// and clusters wait for an answer.
TEST_F(OrderTest, AClusterThatHasComeBackIsNotTakenAway) {
  Content content = base;
  content[Type::Cluster]["b"] = "1";
  start(content);
  Content without = base;
  without[Type::ScopedRoute]["s"] = "2";
  EXPECT_EQ(talk.give(snapshot(2, without)), "scope s=2");
  without[Type::Cluster]["a"] = "2";
  without[Type::ScopedRoute]["s"] = "3";
  EXPECT_EQ(talk.give(snapshot(3, without)), "cluster a=2; endpoint a=1");
  EXPECT_EQ(talk.accept(), "scope s=3");
  talk.unanswered.erase(talk.unanswered.begin());  // a warms
  content[Type::Cluster]["a"] = "2";
  content[Type::ScopedRoute]["s"] = "3";
  EXPECT_EQ(talk.give(snapshot(4, content)), "");
  EXPECT_EQ(talk.accept_all(), "");
  EXPECT_EQ(talk.wait(patience), "");
}

}  // namespace
}  // namespace mp::xds
