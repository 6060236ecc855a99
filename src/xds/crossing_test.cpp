// Conversations in which a refusal crosses what the server has said since.
#include "xds/conversation.hpp"

#include <gtest/gtest.h>

namespace mp::xds {
namespace {

struct CrossingTest : testing::Test {
  Conversation talk{Flavour::Delta};

  std::size_t refused() const { return talk.stream.quarantine().list().size(); }
  std::string held(Type type) const {
    for (const auto& each : talk.stream.held()) {
      if (each.type_url == type_url(type)) return each.version;
    }
    return {};
  }
};

TEST_F(CrossingTest, OfTwoFormsThatAreRefusedNoneIsHeld) {
  Content content{{Type::Endpoint, {{"a", "1"}, {"b", "1"}}}};
  talk.give(snapshot(1, content));
  talk.ask(Type::Endpoint, {"b"});
  talk.accept();
  talk.ask(Type::Endpoint, {"a"});
  content[Type::Endpoint]["a"] = "2";
  talk.give(snapshot(2, content));
  EXPECT_EQ(talk.wait(patience), "endpoint a=2");
  talk.refuse("no");
  talk.refuse("no");
  EXPECT_EQ(held(Type::Endpoint), version_of({resource("b", "1")}));
}

// It was there before the proxy asked for it.
TEST_F(CrossingTest, WhatWasNotAskedForIsNoLastGoodForm) {
  Content content{{Type::Endpoint, {{"a", "1"}, {"b", "1"}}}};
  talk.give(snapshot(1, content));
  talk.ask(Type::Endpoint, {"b"});
  content[Type::Endpoint]["a"] = "2";
  talk.give(snapshot(2, content));
  EXPECT_EQ(talk.ask(Type::Endpoint, {"a"}), "endpoint a=2");
  talk.accept();
  talk.refuse("no");
  EXPECT_EQ(held(Type::Endpoint), version_of({resource("b", "1")}));
}

TEST_F(CrossingTest, TheRefusalOfAnOlderFormDoesNotHideThatOfTheNewest) {
  const auto give = [&](std::int64_t revision, const std::string& version) {
    return talk.give(snapshot(revision, {{Type::Route, {{"r", version}}}}));
  };
  talk.ask(Type::Route, {"r"});
  EXPECT_EQ(give(1, "bad"), "route r=bad");
  talk.wait(patience);
  EXPECT_EQ(give(2, "worse"), "route r=worse");
  EXPECT_EQ(give(3, "bad"), "");
  EXPECT_EQ(talk.refuse("no"), "");
  EXPECT_EQ(talk.refuse("no"), "") << "not once more";
  EXPECT_EQ(talk.stream.quarantine().list()[0].version, "bad");
}

// It is sent twice, for its cluster came again: the second answer says what the proxy has.
TEST_F(CrossingTest, WhatIsOnItsWayOnceMoreIsHeldWhenThatIsAccepted) {
  Content content{{Type::Cluster, {{"a", "1"}}}, {Type::Endpoint, {{"a", "1"}}}};
  talk.give(snapshot(1, content));
  talk.ask(Type::Cluster);
  talk.accept();
  EXPECT_EQ(talk.ask(Type::Endpoint, {"a"}), "endpoint a=1");
  content[Type::Cluster]["a"] = "2";
  EXPECT_EQ(talk.give(snapshot(2, content)), "cluster a=2; endpoint a=1");
  EXPECT_EQ(talk.refuse("no"), "");
  EXPECT_EQ(refused(), 1U);
  talk.accept_all();
  EXPECT_EQ(refused(), 0U);
  EXPECT_EQ(held(Type::Endpoint), version_of({resource("a", "1")}));
}

// Its cluster came again, and then it changed: the refusals of the first and the third response say
// nothing about the second.
TEST_F(CrossingTest, WhatWasTakenBetweenTwoRefusalsIsHeld) {
  Content content{{Type::Cluster, {{"a", "1"}}}, {Type::Endpoint, {{"a", "1"}}}};
  talk.give(snapshot(1, content));
  talk.ask(Type::Cluster);
  talk.accept();
  talk.ask(Type::Endpoint, {"a"});
  content[Type::Cluster]["a"] = "2";
  talk.give(snapshot(2, content));
  content[Type::Endpoint]["a"] = "bad";
  EXPECT_EQ(talk.give(snapshot(3, content)), "");
  EXPECT_EQ(talk.wait(patience), "endpoint a=bad");
  talk.refuse("no");
  talk.accept();
  talk.accept();
  talk.refuse("no");
  EXPECT_EQ(held(Type::Endpoint), version_of({resource("a", "1")}));
}

TEST_F(CrossingTest, AFormThatComesBackIsSentWhenItsOwnAnswerTakesIt) {
  const auto give = [&](std::int64_t revision, const std::string& version) {
    return talk.give(snapshot(revision, {{Type::Cluster, {{"a", version}}}}));
  };
  give(1, "1");
  talk.ask(Type::Cluster);
  talk.refuse("no");
  EXPECT_EQ(talk.wait(first_retry), "cluster a=1");
  talk.wait(patience);
  EXPECT_EQ(give(2, "2"), "cluster a=2");
  talk.wait(patience);
  EXPECT_EQ(give(3, "1"), "") << "its answer is still to come";
  EXPECT_EQ(talk.accept() + talk.accept(), "cluster a=1");
}

// It was refused, taken with the second response, and left out of the third.
TEST_F(CrossingTest, WhatWasTakenAgainAndLeftOutSinceIsSentOnceMore) {
  Conversation other{Flavour::StateOfTheWorld};
  const auto give = [&](std::int64_t revision, const std::string& version) {
    other.wait(patience);
    return other.give(snapshot(revision, {{Type::Listener, {{"a", "1"}, {"b", version}}}}));
  };
  give(1, "1");
  EXPECT_EQ(other.ask(Type::Listener), "listener a=1 b=1");
  EXPECT_EQ(give(2, "2"), "listener a=1 b=2");
  other.refuse("Error adding/updating listener(s) a: no");
  EXPECT_EQ(give(3, "3"), "listener b=3");
  EXPECT_EQ(other.accept() + other.accept(), "listener a=1 b=3");
}

// The second response repeats it though it has left the snapshot, and the third takes it away.
struct LeavingCrossing : testing::Test {
  Conversation talk{Flavour::StateOfTheWorld};
  void SetUp() override {
    talk.give(snapshot(1, {{Type::Cluster, {{"bad", "1"}}}}));
    EXPECT_EQ(talk.ask(Type::Cluster), "cluster bad=1");
    talk.wait(patience);
    EXPECT_EQ(talk.give(snapshot(2, {{Type::Cluster, {{"a", "1"}, {"b", "1"}}}})),
              "cluster a=1 b=1 bad=1; cluster a=1 b=1");
  }
};

TEST_F(LeavingCrossing, WhatARefusalOfItDoesNotNameIsActive) {
  talk.refuse("Error adding/updating cluster(s) bad: no");
  talk.refuse("Error adding/updating cluster(s) bad: no");
  EXPECT_EQ(talk.accept(), "");
  EXPECT_EQ(talk.stream.held()[0].resources, 2U);
}

TEST_F(LeavingCrossing, WhatIsTakenWithoutItIsActive) {
  talk.refuse("no");
  talk.refuse("no");
  EXPECT_EQ(talk.accept(), "cluster a=1 b=1") << "nothing is taken away";
  EXPECT_EQ(talk.stream.held()[0].resources, 2U);
}

TEST_F(CrossingTest, WhatIsRefusedIsNotForgottenWhileItIsOnItsWayOnceMore) {
  Content content{{Type::Cluster, {{"a", "1"}, {"b", "1"}}},
                  {Type::Endpoint, {{"a", "1"}, {"b", "1"}}}};
  talk.give(snapshot(1, content));
  talk.ask(Type::Cluster);
  talk.accept();
  EXPECT_EQ(talk.ask(Type::Endpoint, {"b"}), "endpoint b=1");
  content[Type::Endpoint]["a"] = "bad";
  EXPECT_EQ(talk.give(snapshot(2, content)), "");
  EXPECT_EQ(talk.ask(Type::Endpoint, {"a"}), "endpoint a=bad");
  content[Type::Cluster]["a"] = "2";
  EXPECT_EQ(talk.give(snapshot(3, content)), "cluster a=2; endpoint a=bad");
  talk.accept();
  EXPECT_EQ(talk.refuse("no"), "");
  talk.accept();
  EXPECT_EQ(talk.wait(patience), "");
  content[Type::Cluster]["a"] = "3";
  EXPECT_EQ(talk.give(snapshot(4, content)), "cluster a=3");
}

// gRPC uses what is good of a response that it refuses.
TEST_F(CrossingTest, WhatMayBeInUseOfARefusedResponseIsTakenAwayWhenItIsGone) {
  talk.give(snapshot(1, {{Type::Endpoint, {{"a", "1"}, {"b", "1"}}}}));
  EXPECT_EQ(talk.ask(Type::Endpoint, {"a", "b"}), "endpoint a=1 b=1");
  talk.give(snapshot(2, {{Type::Endpoint, {{"b", "1"}}}}));
  EXPECT_EQ(talk.refuse("no"), "endpoint b=1");
  EXPECT_EQ(talk.accept(), "endpoint -a");
}

TEST_F(LeavingCrossing, WhatIsGoneDoesNotComeBackWhileItsPartsAreTried) {
  Conversation other{Flavour::StateOfTheWorld};
  other.give(snapshot(1, {{Type::Cluster, {{"a", "1"}, {"b", "1"}}}}));
  EXPECT_EQ(other.ask(Type::Cluster), "cluster a=1 b=1");
  other.give(snapshot(2, {{Type::Cluster, {{"b", "1"}}}}));
  EXPECT_EQ(other.refuse("no"), "cluster");
  EXPECT_EQ(other.accept_all(), "cluster b=1");
}

TEST_F(CrossingTest, ASecretThatIsPutBackAndRefusedIsNotSentForEver) {
  talk.give(snapshot(1, {{Type::Secret, {{"s", "1"}}}}));
  talk.ask(Type::Secret, {"s"});
  talk.accept();
  talk.give(snapshot(2, {{Type::Secret, {{"s", "bad"}}}}));
  EXPECT_EQ(talk.refuse("no"), "secret s=1");
  EXPECT_EQ(talk.ask(Type::Secret, {"s"}), "secret s=1");
  EXPECT_EQ(talk.refuse("no"), "");
  EXPECT_EQ(talk.refuse("no"), "");
}

}  // namespace
}  // namespace mp::xds
