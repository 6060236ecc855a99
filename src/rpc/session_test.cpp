// A client's and a server's session, whose bytes are carried by hand.
#include "rpc/session_fixture.hpp"

#include <gtest/gtest.h>

namespace mp::rpc {
namespace {

struct Pair {
  ~Pair() {
    client.end_all({code::unavailable, {}});
    server.end_all({code::unavailable, {}});
  }

  // Until neither has anything to say; in pieces of `step` bytes.
  void carry(std::size_t step = 1u << 20) {
    const auto give = [&](Session& from, Session& to) {
      const std::string bytes = output_of(from);
      for (std::size_t at = 0; at < bytes.size(); at += step)
        EXPECT_TRUE(to.take(std::string_view(bytes).substr(at, step)));
      desk.settle();
      return !bytes.empty();
    };
    for (bool more = true; more;) {
      desk.settle();
      const bool asked = give(client, server), answered = give(server, client);
      more = asked || answered;
    }
  }

  // A call of ours, which reads everything.
  std::shared_ptr<Ear> begin(const std::string& method, Fields fields = {}) {
    auto ear = std::make_shared<Ear>();
    const auto call = Session::make_call(limits, method, std::move(fields), ear);
    ear->call = call;
    ear->answer = [weak = std::weak_ptr(call)](std::string_view) {
      if (const auto there = weak.lock()) there->read();
    };
    call->read();
    client.add(call);
    return ear;
  }

  Limits limits{.largest_message = 4u << 20, .calls = 10};
  Stage stage;
  Accept accept = stage.function();
  Desk desk;
  Session server{limits, desk, "192.0.2.1", accept};
  Session client{limits, desk, Head{.authority = "test"}};
};

struct SessionTest : testing::Test, Pair {};

TEST(Sessions, CarryMessagesBothWaysInAnyPieces) {
  for (const std::size_t step : {1u << 20, 1u, 7u}) {
    Pair pair;
    const auto ear = pair.begin("/echo");
    ear->call->write(one("first"));
    ear->call->write(one(""));
    pair.carry(step);
    ear->call->write(shared(std::string(20'000, 's')));
    ear->call->write(one("last"));
    pair.carry(step);
    EXPECT_EQ(ear->messages(),
              (std::vector<std::string>{"first", "", std::string(20'000, 's'), "last"}));
    ear->call->finish({});
    pair.carry(step);
    EXPECT_EQ(ear->code(), code::ok) << "who says no more is answered and done";
    EXPECT_EQ(pair.stage.ears().back()->code(), code::cancelled);
  }
}

TEST_F(SessionTest, LongMessagesPassThroughTheWindows) {
  const auto ear = begin("/echo");
  const std::string text(3u << 20, 'x');
  ear->call->write(shared(text));
  carry();
  ASSERT_EQ(ear->messages().size(), 1U);
  EXPECT_EQ(ear->messages().front(), text);
}

TEST_F(SessionTest, SaysWhyACallEnds) {
  const auto refused = begin("/no");
  carry();
  EXPECT_EQ(refused->code(), 7);
  EXPECT_EQ(refused->ended()->message, "50 % of \xc3\xbc\n");
}

TEST_F(SessionTest, KnowsNoOtherMethods) {
  const auto ear = begin("/other");
  ear->call->write(one("x"));
  carry();
  EXPECT_EQ(ear->code(), code::unimplemented);
}

TEST_F(SessionTest, TheLastWordComesAfterTheMessages) {
  const auto ear = begin("/mute");
  carry();
  const auto theirs = stage.ears().at(0);
  EXPECT_EQ(theirs->call->write(one("a")), 1U);
  EXPECT_EQ(theirs->call->write(one("b")), 2U) << "it says how many wait";
  theirs->call->finish({9, "enough"});
  theirs->call->finish({10, "too late"});
  EXPECT_EQ(theirs->call->write(one("c")), 0U);
  carry();
  EXPECT_EQ(ear->messages(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(ear->code(), 9);
  EXPECT_EQ(theirs->code(), code::cancelled);
}

TEST_F(SessionTest, TellsWhenAllIsTaken) {
  const auto ear = begin("/mute");
  carry();
  const auto theirs = stage.ears().at(0);
  int drained = 0;
  theirs->drained = [&] { ++drained; };
  theirs->call->write(one("a"));
  theirs->call->write(one("b"));
  EXPECT_EQ(drained, 0);
  carry();
  EXPECT_EQ(drained, 1);
  theirs->drained = [] {};
}

TEST_F(SessionTest, WhatIsNotReadWaitsAtTheSender) {
  const auto ear = begin("/mute");
  int drained = 0;
  ear->drained = [&] { ++drained; };
  ear->call->write(one(std::string(limits.call_window + 1'000, 'x')));
  carry();
  EXPECT_EQ(drained, 0) << "the window is used up";
  stage.ears().at(0)->call->read();
  carry();
  EXPECT_EQ(drained, 1);
  EXPECT_EQ(stage.ears().at(0)->messages().size(), 1U);
}

TEST_F(SessionTest, AMessageIsGivenOnlyWhenItIsAskedFor) {
  const auto ear = begin("/mute");
  ear->call->write(one("a"));
  ear->call->write(one("b"));
  carry();
  const auto theirs = stage.ears().at(0);
  EXPECT_TRUE(theirs->messages().empty());
  theirs->call->read();
  carry();
  EXPECT_EQ(theirs->messages(), (std::vector<std::string>{"a"}));
  theirs->call->read();
  carry();
  EXPECT_EQ(theirs->messages(), (std::vector<std::string>{"a", "b"}));
}

TEST_F(SessionTest, AnAbortIsHeardByBoth) {
  const auto ear = begin("/echo");
  carry();
  ear->call->abort();
  carry();
  EXPECT_EQ(ear->code(), code::cancelled);
  EXPECT_EQ(stage.ears().at(0)->code(), code::cancelled);
  EXPECT_EQ(server.calls(), 0U);
  EXPECT_TRUE(client.finished()) << "with its last call";
}

TEST_F(SessionTest, LongMessagesAreRefused) {
  const auto ear = begin("/echo");
  ear->call->write(shared(std::string(limits.largest_message + 1, 'x')));
  carry();
  EXPECT_EQ(ear->code(), code::resource_exhausted);
}

TEST_F(SessionTest, LongMetadataIsRefused) {
  const auto ear = begin("/echo", {{"x-long", std::string(limits.largest_head, 'x')}});
  carry();
  EXPECT_EQ(ear->code(), code::resource_exhausted);
  EXPECT_TRUE(stage.ears().empty());
}

TEST_F(SessionTest, CallsBeyondTheLimitWait) {
  std::vector<std::shared_ptr<Ear>> ears;
  carry();  // the settings
  ears.reserve(limits.calls + 5);
  for (std::uint32_t n = 0; n < limits.calls + 5; ++n) ears.push_back(begin("/echo"));
  carry();
  EXPECT_EQ(server.calls(), limits.calls);
  for (const auto& ear : ears) ear->call->abort();
  carry();
  EXPECT_EQ(server.calls(), 0U);
}

TEST_F(SessionTest, AfterAGoodbyeOnlyTheCallsThatAreThereGoOn) {
  const auto ear = begin("/echo");
  carry();
  server.go_away();
  carry();
  EXPECT_FALSE(client.takes_calls());
  EXPECT_FALSE(server.finished());
  ear->call->write(one("still"));
  carry();
  EXPECT_EQ(ear->messages(), (std::vector<std::string>{"still"}));
  stage.ears().at(0)->call->finish({code::unavailable, "it stops"});
  carry();
  EXPECT_EQ(ear->code(), code::unavailable);
  EXPECT_TRUE(server.finished());
}

TEST_F(SessionTest, CallsEndWithTheConnection) {
  const auto ear = begin("/echo");
  carry();
  client.end_all({code::unavailable, "lost"});
  EXPECT_EQ(ear->code(), code::unavailable);
  server.end_all({code::unavailable, "lost"});
  const auto theirs = stage.ears().at(0);
  EXPECT_EQ(theirs->code(), code::unavailable);
  EXPECT_EQ(theirs->call->write(one("late")), 0U) << "nobody is there";
  theirs->call->read();
  theirs->call->finish({});
  theirs->call->abort();
  desk.settle();
}

}  // namespace
}  // namespace mp::rpc
