#include "base/workers.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <set>
#include <stdexcept>
#include <thread>

namespace mp {
namespace {

constexpr std::chrono::seconds patience{10};

// A job that holds its worker until it is let go.
struct Gate {
  std::promise<void> entered;
  std::promise<void> released;

  std::function<void()> job() {
    return [this] {
      entered.set_value();
      released.get_future().wait_for(patience);
    };
  }
  bool wait_until_entered() {
    return entered.get_future().wait_for(patience) == std::future_status::ready;
  }
};

// Two threads, each held by a job.
struct TwoAtWork {
  Gate first, second;
  Workers workers{2, 10};

  bool begin() {
    return workers.post(first.job()) && workers.post(second.job()) && first.wait_until_entered() &&
           second.wait_until_entered();
  }
};

TEST(Workers, run_jobs_on_other_threads_at_the_same_time) {
  TwoAtWork two;
  EXPECT_TRUE(two.begin());
  two.first.released.set_value();
  two.second.released.set_value();
}

// What it used is still in the caches, and the others need not wake up.
TEST(Workers, call_the_thread_that_rested_last) {
  TwoAtWork two;
  ASSERT_TRUE(two.begin());
  Workers& workers = two.workers;
  two.first.released.set_value();
  const auto is_at_rest = [&](std::size_t busy) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (workers.busy() != busy && std::chrono::steady_clock::now() < end)
      std::this_thread::yield();
    return workers.busy() == busy;
  };
  ASSERT_TRUE(is_at_rest(1));
  two.second.released.set_value();
  ASSERT_TRUE(is_at_rest(0));
  std::set<std::thread::id> called;
  for (int job = 0; job < 10; ++job) {
    std::promise<std::thread::id> ran;
    ASSERT_TRUE(workers.post([&] { ran.set_value(std::this_thread::get_id()); }));
    called.insert(ran.get_future().get());
    ASSERT_TRUE(is_at_rest(0));
  }
  EXPECT_EQ(called.size(), 1U);
}

TEST(Workers, refuse_a_job_when_the_queue_is_full_and_take_the_next_when_it_is_not) {
  Gate gate;
  std::promise<void> last_waiting_done;
  Workers workers(1, 2);
  ASSERT_TRUE(workers.post(gate.job()));
  ASSERT_TRUE(gate.wait_until_entered());
  EXPECT_TRUE(workers.post([] {}));
  EXPECT_TRUE(workers.post([&] { last_waiting_done.set_value(); }));
  bool ran = false;
  EXPECT_FALSE(workers.post([&] { ran = true; }));
  gate.released.set_value();
  ASSERT_EQ(last_waiting_done.get_future().wait_for(patience), std::future_status::ready);
  EXPECT_TRUE(workers.post([] {}));
  workers.stop();
  EXPECT_FALSE(ran);
}

TEST(Workers, finish_what_they_took_before_they_stop_and_take_nothing_after) {
  constexpr int jobs = 100;
  std::atomic<int> ran{0};
  Workers workers(2, jobs);
  for (int job = 0; job < jobs; ++job) ASSERT_TRUE(workers.post([&] { ++ran; }));
  workers.stop();
  EXPECT_EQ(ran, jobs);
  EXPECT_FALSE(workers.post([&] { ++ran; }));
  EXPECT_EQ(ran, jobs);
}

TEST(Workers, outlive_a_job_that_throws) {
  std::promise<void> next;
  Workers workers(1, 10);
  ASSERT_TRUE(workers.post([] { throw std::runtime_error("broken job"); }));
  ASSERT_TRUE(workers.post([&] { next.set_value(); }));
  EXPECT_EQ(next.get_future().wait_for(patience), std::future_status::ready);
}

TEST(Workers, let_go_of_a_job_when_it_is_done) {
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = held;
  Workers workers(1, 10);
  ASSERT_TRUE(workers.post([held = std::move(held)] {}));
  workers.stop();
  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace mp
