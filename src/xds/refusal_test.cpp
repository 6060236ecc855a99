// Conversations in which the proxy refuses: who is blamed, what stays, when it is tried again.
#include "xds/conversation.hpp"
#include "xds/secret.hpp"

#include <gtest/gtest.h>

namespace mp::xds {
namespace {

const std::string whole_response =
    "goo.gle/debugproto  name: \"x\" secret: \"hidden, x: y\" : Proto constraint validation failed "
    "(ClusterValidationError.Name: value length must be at least 1 characters)";

struct RefusalTest : testing::Test {
  Conversation talk{Flavour::Delta};

  std::vector<std::string> refused() const {
    std::vector<std::string> names;
    for (const auto& each : talk.stream.quarantine().list()) names.push_back(each.resource);
    return names;
  }
  // Answers everything; refuses each response that holds the resource version.
  void answer_all(const std::string& bad, const std::string& message) {
    while (!talk.unanswered.empty()) {
      if ((show(talk.unanswered.front()) + " ").find(" " + bad + " ") != std::string::npos) {
        talk.refuse(message);
      } else {
        talk.accept();
      }
    }
  }
  std::string held(Type type) const {
    for (const auto& each : talk.stream.held()) {
      if (each.type_url == type_url(type)) return each.version;
    }
    return {};
  }
};

using Names = std::vector<std::string>;

TEST_F(RefusalTest, ASingleResourceIsTheCulprit) {
  talk.give(snapshot(1, {{Type::Route, {{"r", "1"}}}}));
  talk.ask(Type::Route, {"r"});
  talk.accept();
  talk.give(snapshot(2, {{Type::Route, {{"r", "bad"}}}}));
  EXPECT_EQ(talk.refuse("missing ]: ["), "");
  const auto refusals = talk.stream.quarantine().list();
  ASSERT_EQ(refusals.size(), 1U);
  EXPECT_EQ(refusals[0].type, Type::Route);
  EXPECT_EQ(refusals[0].resource, "r");
  EXPECT_EQ(refusals[0].version, "bad");
  EXPECT_EQ(refusals[0].message, "missing ]: [");
  EXPECT_EQ(refusals[0].object.type, "service");
  EXPECT_EQ(refusals[0].since, talk.now);
  EXPECT_EQ(refusals[0].revision, 2);
  EXPECT_TRUE(talk.stream.progress().settled);
  EXPECT_EQ(held(Type::Route), version_of({resource("r", "1")}));
}

// While another form was on its way the refused one came back: it waits for its time, not for ever.
TEST_F(RefusalTest, AFormThatComesBackIsTriedInItsTime) {
  const auto with = [](const std::string& version) {
    return Content{{Type::Cluster, {{"a", version}}}};
  };
  talk.give(snapshot(1, with("1")));
  talk.ask(Type::Cluster);
  talk.accept();
  talk.give(snapshot(2, with("bad")));
  talk.refuse("no");
  EXPECT_EQ(talk.give(snapshot(3, with("3"))), "cluster a=3");
  EXPECT_EQ(talk.give(snapshot(4, with("bad"))), "");
  EXPECT_EQ(talk.accept(), "");
  EXPECT_EQ(talk.wait(first_retry), "cluster a=bad");
}

TEST_F(RefusalTest, EnvoyNamesClustersAndTheOthersAreActive) {
  talk.give(snapshot(1, {{Type::Cluster, {{"bad1", "1"}, {"bad2", "1"}, {"good", "1"}}}}));
  talk.ask(Type::Cluster);
  EXPECT_EQ(
      talk.refuse("Error adding/updating cluster(s) bad2: cluster: LB policy, bad1: no good: but "
                  "Check cluster documentation."),
      "");
  const auto refusals = talk.stream.quarantine().list();
  ASSERT_EQ(refusals.size(), 2U);
  EXPECT_EQ(refusals[0].message, "bad1: no good: but Check cluster documentation.");
  EXPECT_EQ(refusals[1].message, "bad2: cluster: LB policy");
  EXPECT_EQ(held(Type::Cluster), version_of({resource("good", "1")}));
}

TEST_F(RefusalTest, ARefusalOfTheWholeResponseIsNarrowedDown) {
  Content content;
  for (int n = 0; n < 300; ++n) content[Type::Cluster]["c" + std::to_string(n)] = "1";
  content[Type::Cluster]["c17"] = "bad";
  talk.give(snapshot(1, content));
  talk.ask(Type::Cluster);
  answer_all("c17=bad", whole_response);
  EXPECT_EQ(refused(), Names{"c17"});
  EXPECT_LT(talk.stream.exchanges().pushes, 60U);
  content[Type::Cluster].erase("c17");
  const auto good = snapshot(1, content)->of(Type::Cluster);
  EXPECT_EQ(held(Type::Cluster), version_of({good.begin(), good.end()}));
}

// A whole response is refused for the sake of each of them, again when their time has come.
TEST_F(RefusalTest, TwoThatAreTriedAgainTogetherAreThenTriedAlone) {
  talk.give(snapshot(1, {{Type::Cluster, {{"a", "bad"}, {"b", "bad"}}}}));
  talk.ask(Type::Cluster);
  EXPECT_EQ(talk.refuse(whole_response), "cluster a=bad; cluster b=bad");
  talk.refuse(whole_response);
  talk.refuse(whole_response);
  EXPECT_EQ(talk.wait(first_retry), "cluster a=bad b=bad");
  EXPECT_EQ(talk.refuse(whole_response), "cluster a=bad; cluster b=bad");
  talk.accept();
  talk.refuse(whole_response);
  EXPECT_EQ(refused(), Names{"b"});
  EXPECT_EQ(talk.wait(2 * first_retry), "cluster b=bad");
}

TEST_F(RefusalTest, OneAmongManySecretsIsFound) {
  Content content;
  Names names;
  for (int n = 0; n < 40; ++n) {
    names.push_back("s" + std::to_string(n));
    content[Type::Secret][names.back()] = n == 3 ? "bad" : "1";
  }
  talk.give(snapshot(1, content));
  talk.ask(Type::Secret, names);
  for (const Response& response : talk.unanswered) EXPECT_EQ(response.resources.size(), 1U);
  answer_all("s3=bad", "Failed to load private key from <inline>");
  EXPECT_EQ(refused(), Names{"s3"});
}

TEST_F(RefusalTest, ASecretIsPutBackToItsLastGoodForm) {
  talk.give(snapshot(1, {{Type::Secret, {{"s", "1"}}}}));
  talk.ask(Type::Secret, {"s"});
  talk.accept();
  talk.give(snapshot(2, {{Type::Secret, {{"s", "bad"}}}}));
  EXPECT_EQ(talk.refuse("no"), "secret s=1");
  EXPECT_EQ(talk.accept(), "");
  EXPECT_EQ(refused(), Names{"s"});
  EXPECT_TRUE(talk.stream.progress().settled);
}

// Envoy acknowledges one that it has refused when it gets it once more in the same bytes.
TEST_F(RefusalTest, ASecretThatMayHaveBeenRefusedIsTriedInOtherBytes) {
  const auto secret = [](const std::string& key) {
    Certificate certificate{.id = 1};
    certificate.cert_pem = "certificate\n";
    certificate.key_pem = Secret(key);
    return make_certificate_secret(certificate);
  };
  const auto holding = [&](std::int64_t revision, const ResourcePtr& resource) {
    auto made = std::make_shared<Snapshot>();
    made->revision = revision;
    made->types[static_cast<std::size_t>(Type::Secret)].put(resource);
    return made;
  };
  const auto told = [&] { return talk.unanswered.back().resources.at(0); };
  const ResourcePtr bad = secret("b");
  talk.give(holding(1, bad));
  talk.ask(Type::Secret, {bad->name});
  EXPECT_EQ(told(), bad) << "a client that held nothing before";
  talk.refuse("no");
  talk.wait(first_retry);
  ASSERT_EQ(talk.unanswered.size(), 1U);
  EXPECT_NE(told()->body, bad->body);
  EXPECT_EQ(told()->version, bad->version);
  talk.refuse("still no");
  EXPECT_EQ(refused(), Names{bad->name});

  Conversation later{Flavour::Delta};
  later.give(holding(1, bad));
  later.ask(Type::Secret, {bad->name}, {{bad->name, "another"}});
  EXPECT_NE(later.unanswered.at(0).resources.at(0)->body, bad->body) << "nobody knows";
}

TEST_F(RefusalTest, TheDumpIsNeverKept) {
  talk.give(snapshot(1, {{Type::Cluster, {{"x", "1"}}}}));
  talk.ask(Type::Cluster);
  talk.refuse(whole_response);
  EXPECT_EQ(
      talk.stream.quarantine().list()[0].message,
      "Proto constraint validation failed (ClusterValidationError.Name: value length must be at "
      "least 1 characters)");
}

TEST_F(RefusalTest, NotSentAgainUnchanged) {
  talk.give(snapshot(1, {{Type::Cluster, {{"a", "bad"}}}}));
  talk.ask(Type::Cluster);
  talk.refuse("Error adding/updating cluster(s) a: no");
  EXPECT_EQ(talk.give(snapshot(2, {{Type::Cluster, {{"a", "bad"}, {"b", "1"}}}})), "cluster b=1");
  talk.accept();
  EXPECT_EQ(refused(), Names{"a"});
}

TEST_F(RefusalTest, SentAgainWhenTheObjectChanges) {
  talk.give(snapshot(1, {{Type::Cluster, {{"a", "bad"}}}}));
  talk.ask(Type::Cluster);
  talk.refuse("no");
  EXPECT_EQ(talk.give(snapshot(2, {{Type::Cluster, {{"a", "2"}}}})), "cluster a=2");
  EXPECT_EQ(refused(), Names{"a"});
  talk.accept();
  EXPECT_EQ(refused(), Names{});
}

TEST_F(RefusalTest, GoingBackToTheLastGoodFormEndsIt) {
  talk.give(snapshot(1, {{Type::Cluster, {{"a", "1"}}}}));
  talk.ask(Type::Cluster);
  talk.accept();
  talk.give(snapshot(2, {{Type::Cluster, {{"a", "bad"}}}}));
  talk.refuse("no");
  EXPECT_EQ(talk.give(snapshot(3, {{Type::Cluster, {{"a", "1"}}}})), "");
  EXPECT_EQ(refused(), Names{});
}

TEST_F(RefusalTest, ARemovedObjectEndsIt) {
  talk.give(snapshot(1, {{Type::Cluster, {{"a", "bad"}}}}));
  talk.ask(Type::Cluster);
  talk.refuse("no");
  talk.give(snapshot(2, {}));
  EXPECT_EQ(refused(), Names{});
}

TEST_F(RefusalTest, TriedAgainAfterHalfAMinuteDoublingToTenMinutes) {
  talk.give(snapshot(1, {{Type::Listener, {{"l", "1"}}}}));
  talk.ask(Type::Listener);
  const Time first = talk.now;
  talk.refuse("cannot bind");
  for (const int seconds : {30, 60, 120, 240, 480, 600, 600}) {
    const auto wake = talk.stream.next_wake(talk.now);
    ASSERT_TRUE(wake);
    EXPECT_EQ(*wake - talk.now, std::chrono::seconds{seconds});
    EXPECT_EQ(talk.wait(std::chrono::seconds{seconds} - Milliseconds{1}), "");
    EXPECT_EQ(talk.wait(Milliseconds{1}), "listener l=1");
    talk.refuse("cannot bind");
    EXPECT_EQ(talk.stream.quarantine().list()[0].since, first);
  }
  talk.wait(std::chrono::minutes{10});
  talk.accept();
  EXPECT_EQ(refused(), Names{});
}

TEST_F(RefusalTest, TriedAgainOnRequest) {
  talk.give(snapshot(1, {{Type::Listener, {{"l", "1"}}}}));
  talk.ask(Type::Listener);
  talk.refuse("cannot bind");
  EXPECT_EQ(talk.retry(), "listener l=1");
  EXPECT_EQ(talk.retry(), "");
  talk.accept();
  EXPECT_EQ(refused(), Names{});
}

TEST_F(RefusalTest, TheOthersOfTheSamePushGoThrough) {
  const Content content{{Type::ScopedRoute, {{"a", "bad"}, {"b", "1"}, {"c", "1"}}}};
  talk.give(snapshot(1, content));
  EXPECT_EQ(talk.ask(Type::ScopedRoute), "scope a=bad; scope b=1; scope c=1");
  talk.refuse("duplicate domain");
  talk.accept_all();
  EXPECT_EQ(refused(), Names{"a"});
  EXPECT_EQ(held(Type::ScopedRoute), version_of({resource("b", "1"), resource("c", "1")}));
}

TEST_F(RefusalTest, WhatTheLastGoodFormUsesStays) {
  talk.give(snapshot(1, {{Type::Cluster, {{"old", "1"}}}, {Type::ScopedRoute, {{"s", "to old"}}}}));
  talk.ask(Type::Cluster);
  talk.ask(Type::Listener);
  talk.ask(Type::ScopedRoute);
  talk.accept_all();
  const Content next{{Type::Cluster, {{"new", "1"}}}, {Type::ScopedRoute, {{"s", "bad"}}}};
  talk.give(snapshot(2, next));
  EXPECT_EQ(talk.accept(), "scope s=bad");
  EXPECT_EQ(talk.refuse("no"), "");
  EXPECT_TRUE(talk.stream.progress().settled);
  EXPECT_EQ(talk.give(snapshot(
                3, {{Type::Cluster, {{"new", "1"}}}, {Type::ScopedRoute, {{"s", "to new"}}}})),
            "scope s=to new");
  EXPECT_EQ(talk.accept(), "cluster -old");
}

TEST_F(RefusalTest, AnAnswerToAnUnknownNonceIsNoRefusal) {
  talk.give(snapshot(1, {{Type::Cluster, {{"a", "1"}}}}));
  talk.ask(Type::Cluster);
  Request request = talk.request_for(Type::Cluster);
  request.nonce = "other";
  request.error = "no";
  talk.say(request);
  EXPECT_EQ(refused(), Names{});
  EXPECT_EQ(talk.stream.exchanges().refusals, 0U);
}

TEST_F(RefusalTest, ALaterVersionThatIsRefusedTooKeepsTheFirstGoodForm) {
  talk.give(snapshot(1, {{Type::Endpoint, {{"a", "1"}}}}));
  talk.ask(Type::Endpoint, {"a"});
  talk.accept();
  talk.give(snapshot(2, {{Type::Endpoint, {{"a", "bad 2"}}}}));
  talk.now += patience;
  EXPECT_EQ(talk.give(snapshot(3, {{Type::Endpoint, {{"a", "bad 3"}}}})), "endpoint a=bad 3");
  talk.refuse("no");
  talk.refuse("no");
  EXPECT_EQ(held(Type::Endpoint), version_of({resource("a", "1")}));
  EXPECT_EQ(talk.give(snapshot(4, {{Type::Endpoint, {{"a", "1"}}}})), "");
  EXPECT_EQ(refused(), Names{});
}

// Texts.

TEST(CleanMessage, CutsEveryDump) {
  EXPECT_EQ(clean_message(
                "Error adding/updating listener(s) l: goo.gle/debugstr   name: \"l\" key: \"k\": "
                "Proto constraint validation failed (X)"),
            "Error adding/updating listener(s) l: Proto constraint validation failed (X)");
  EXPECT_EQ(clean_message("goo.gle/debugonly everything"), "refused without a reason");
  EXPECT_EQ(clean_message("name: \"a\" tls { key: \"k\" }: Proto constraint validation failed (X)"),
            "Proto constraint validation failed (X)");
  EXPECT_EQ(clean_message("a\nb"), "a b");
}

TEST(CleanMessage, IsShortAndKeepsWholeLetters) {
  EXPECT_EQ(clean_message(std::string(499, 'x') + "ää").size(), 499U);
  EXPECT_EQ(clean_message(""), "refused without a reason");
}

TEST(Blamed, NamesOnlyWhoIsAtFault) {
  const Resources sent{resource("a", "1"), resource("aa", "1"), resource("b", "1")};
  const auto blames = blamed("Error adding/updating cluster(s) aa: a: b, b: x", sent);
  ASSERT_EQ(blames.size(), 2U);
  EXPECT_EQ(blames[0].resource->name, "aa");
  EXPECT_EQ(blames[1].resource->name, "b");
  EXPECT_TRUE(blamed("missing ]: [", sent).empty());
}

}  // namespace
}  // namespace mp::xds
