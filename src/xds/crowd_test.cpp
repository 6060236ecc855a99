// Many clients, and clients that do not read, without a network: who is let in first, and what a
// slow one costs.
#include "xds/server_fixture.hpp"
#include "xds/switchboard.hpp"

#include <gtest/gtest.h>

#include <malloc.h>

#include <condition_variable>
#include <cstdlib>

#ifdef __SANITIZE_ADDRESS__
// Of the runtime's interface for allocators, whose header gcc does not install.
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();
#endif

namespace mp::xds {
namespace {

std::size_t allocated_bytes() {
#ifdef __SANITIZE_ADDRESS__
  return __sanitizer_get_current_allocated_bytes();
#else
  return mallinfo2().uordblks;
#endif
}

// Takes what is written when it is told to.
class TestLine final : public Line {
 public:
  std::size_t write(std::vector<Message> messages) override {
    const std::lock_guard lock{mutex};
    for (const Message& message : messages) {
      written.push_back(flatten(message));
      if (written.size() > 8) written.pop_front();
      ++number;
      ++waiting;
    }
    return waiting;
  }
  void read() override { ++reads; }
  void finish(int status, const std::string&) override { finished = status; }
  void abort() override {}

  std::size_t count() {
    const std::lock_guard lock{mutex};
    return number;
  }
  discovery::DeltaDiscoveryResponse last() {
    const std::lock_guard lock{mutex};
    discovery::DeltaDiscoveryResponse proto;
    EXPECT_TRUE(proto.ParseFromString(written.back()));
    return proto;
  }

  std::mutex mutex;
  std::deque<std::string> written;  // the newest
  std::size_t number = 0;
  std::size_t waiting = 0;
  std::atomic<int> reads{0};
  std::atomic<int> finished{0};
};

// Lets nobody pass until it is opened, and notes who came.
class SlowGate final : public Gate {
 public:
  Admission admit(std::string_view, const NodeInfo& node) override {
    std::unique_lock lock{mutex};
    came.push_back(node.id);
    changed.notify_all();
    changed.wait(lock, [this] { return open; });
    return {.cluster_id = 1, .cluster_name = "main", .proxy_id = node.id, .hostname = node.id};
  }
  std::optional<Time> check(std::string_view, std::int64_t) override { return std::nullopt; }
  void admit_reader(std::string_view, std::string_view) override {}
  void let_all_in() {
    const std::lock_guard lock{mutex};
    open = true;
    changed.notify_all();
  }
  std::size_t number() {
    const std::lock_guard lock{mutex};
    return came.size();
  }

  std::mutex mutex;
  std::condition_variable changed;
  bool open = false;
  std::vector<std::string> came;
};

struct CrowdTest : testing::Test {
  struct Guest {
    TestLine line;
    std::shared_ptr<Session> session;
  };

  Guest& arrive(const std::string& name, bool returns = false) {
    Guest& guest = guests.emplace_back();
    guest.session = board.add({.cluster_key = Secret{"key"}, .peer = "127.0.0.1"}, guest.line);
    auto request = ask(Type::Cluster, name);
    if (returns) (*request.mutable_initial_resource_versions())["a"] = "1";
    guest.session->on_message(request.SerializeAsString());
    return guest;
  }
  bool connected(const std::string& name) {
    const auto state = status.get(name);
    return state && state->connected;
  }
  ~CrowdTest() override {
    gate.let_all_in();
    for (auto& guest : guests) guest.session->on_gone();
    board.stop();
  }

  ManualClock clock{Time{Milliseconds{1'000'000}}};
  SlowGate gate;
  Status status;
  std::deque<Guest> guests;
  Switchboard board{{}, {}, [](Time) {}, gate, status, clock};
  const GroupKey group{.cluster_id = 1};
};

TEST_F(CrowdTest, WhoHoldsNothingIsLetInFirst) {
  for (int n = 0; n < 4; ++n) arrive("first-" + std::to_string(n));
  ASSERT_TRUE(eventually([&] { return gate.number() == 4; }));  // every admission thread is taken
  for (int n = 0; n < 8; ++n) arrive("returns-" + std::to_string(n), true);
  for (int n = 0; n < 8; ++n) arrive("new-" + std::to_string(n));
  EXPECT_EQ(gate.number(), 4U);
  gate.let_all_in();
  ASSERT_TRUE(eventually([&] { return gate.number() == 20; }));
  // Four take them at once: of three, another one may be told of before.
  for (std::size_t n = 4; n < 9; ++n) EXPECT_TRUE(gate.came[n].starts_with("new-")) << n;
  ASSERT_TRUE(eventually([&] { return connected("returns-7"); }));
}

TEST_F(CrowdTest, WhoDoesNotReadIsGivenNoMoreUntilItDoes) {
  gate.let_all_in();
  Guest& slow = arrive("slow");
  ASSERT_TRUE(eventually([&] { return slow.line.reads == 1; }));
  std::int64_t revision = 0;
  const auto edit = [&] {
    ++revision;
    board.publish(group, clusters(revision, {{"a", std::to_string(revision)}}));
    clock.advance(patience);  // a push does not wait for the answer to the one before longer
  };
  for (int n = 0; n < 500; ++n) edit();
  EXPECT_LE(slow.line.count(), 40U);
  const auto unread = slow.line.count();
  // Nor is it asked what else it wants.
  slow.session->on_message(ask(Type::Listener).SerializeAsString());
  EXPECT_EQ(slow.line.reads, 1);
  // It reads at last: what it missed comes as one change.
  slow.line.waiting = 0;
  slow.session->on_drained();
  EXPECT_EQ(slow.line.reads, 2);
  EXPECT_LE(slow.line.count(), unread + 3);
  for (int n = 0; n < 3 && slow.line.last().type_url() != type_url(Type::Cluster); ++n) {
    const std::lock_guard lock{slow.line.mutex};
    slow.line.written.pop_back();
  }
  EXPECT_EQ(slow.line.last().resources(0).version(), "500");
  EXPECT_EQ(slow.line.finished, 0);
}

TEST_F(CrowdTest, OthersDoNotWaitForWhoDoesNotRead) {
  gate.let_all_in();
  Guest& slow = arrive("slow");
  Guest& quick = arrive("quick");
  ASSERT_TRUE(eventually([&] { return slow.line.reads == 1 && quick.line.reads == 1; }));
  for (std::int64_t revision = 1; revision <= 200; ++revision) {
    board.publish(group, clusters(revision, {{"a", std::to_string(revision)}}));
    ASSERT_EQ(quick.line.last().resources(0).version(), std::to_string(revision));
    quick.line.waiting = 0;
    quick.session->on_drained();
    quick.session->on_message(acknowledge(quick.line.last()).SerializeAsString());
    clock.advance(patience);
  }
  EXPECT_EQ(quick.line.count(), 200U);
  EXPECT_LE(slow.line.count(), 40U);
}

// MARCHPROXY_TEST_UPDATES=1000000 for a long run.
TEST_F(CrowdTest, UpdatesLeaveNoMemoryBehind) {
  const char* given = std::getenv("MARCHPROXY_TEST_UPDATES");
  const std::int64_t updates = given ? std::stoll(given) : 5'000;
  gate.let_all_in();
  Guest& slow = arrive("slow");
  Guest& quick = arrive("quick");
  Guest& contrary = arrive("contrary");
  ASSERT_TRUE(eventually(
      [&] { return slow.line.reads == 1 && quick.line.reads == 1 && contrary.line.reads == 1; }));
  const auto answer = [](Guest& guest, const char* error) {
    guest.line.waiting = 0;
    guest.session->on_drained();
    auto request = acknowledge(guest.line.last());
    if (error) request.mutable_error_detail()->set_message(error);
    guest.session->on_message(request.SerializeAsString());
  };
  std::size_t before = 0;
  for (std::int64_t revision = 1; revision <= updates; ++revision) {
    const std::string version = std::to_string(100'000'000 + revision);
    std::map<std::string, std::string> content{{"a", version}};
    content["b" + std::to_string(revision % 7)] = "1";
    board.publish(group, clusters(revision, content));
    answer(quick, nullptr);
    answer(contrary, revision % 3 == 0 ? "no" : nullptr);
    clock.advance(patience);
    if (revision == updates / 5) before = allocated_bytes();
  }
  EXPECT_LE(allocated_bytes(), before + 64 * 1024);
  EXPECT_GT(quick.line.count(), static_cast<std::size_t>(updates) / 2);
}

TEST_F(CrowdTest, AChangeOfOneGroupTouchesNoOther) {
  gate.let_all_in();
  Guest& here = arrive("here");
  ASSERT_TRUE(eventually([&] { return here.line.reads == 1; }));
  board.publish({.cluster_id = 2}, clusters(1, {{"a", "1"}}));
  board.publish({.cluster_id = 1, .type = ProxyType::Ingress}, clusters(1, {{"a", "1"}}));
  board.publish({.cluster_id = 1, .flavour = Flavour::StateOfTheWorld}, clusters(1, {{"a", "1"}}));
  EXPECT_EQ(here.line.count(), 0U);
  board.publish(group, clusters(1, {{"a", "1"}}));
  EXPECT_EQ(here.line.count(), 1U);
  board.publish(group, clusters(2, {{"a", "1"}}));  // the revision alone
  EXPECT_EQ(here.line.count(), 1U);
}

}  // namespace
}  // namespace mp::xds
