// Keys of streams that are asked about again: how often, and what becomes of the streams.
#include "xds/key_checks.hpp"

#include "base/error.hpp"

#include <gtest/gtest.h>

namespace mp::xds {
namespace {

class Stand final : public KeyHolder {
 public:
  Stand(std::int64_t cluster_id, std::string key) : cluster_id_(cluster_id), key_(std::move(key)) {}
  std::optional<KeyQuestion> key_question() override {
    if (is_closed) return std::nullopt;
    return KeyQuestion{cluster_id_, Secret{key_}};
  }
  void key_holds(std::optional<Time> end, std::uint64_t) override { until = end; }
  void close(int, const std::string&) override { is_closed = true; }

  std::optional<Time> until;
  bool is_closed = false;

 private:
  std::int64_t cluster_id_;
  std::string key_;
};

class Book final : public Gate {
 public:
  Admission admit(std::string_view, const NodeInfo&) override { return {}; }
  void admit_reader(std::string_view, std::string_view) override {}
  std::optional<Time> check(std::string_view key, std::int64_t cluster_id) override {
    asked.push_back(std::string(key) + " of " + std::to_string(cluster_id));
    if (is_away) throw Error{Code::Unavailable, ""};
    if (key == "bad") throw Error{Code::Authentication, ""};
    return end;
  }

  std::vector<std::string> asked;
  bool is_away = false;
  Time end{Milliseconds{7'000'000}};
};

struct KeyChecksTest : testing::Test {
  std::shared_ptr<Stand> stand(std::int64_t cluster_id, const std::string& key) {
    return std::make_shared<Stand>(cluster_id, key);
  }
  using Asked = std::vector<std::string>;

  ManualClock clock{Time{Milliseconds{1'000'000}}};
  Book book;
  bool is_full = false;  // there is no place for jobs
  KeyChecks checks{book, clock, [this](auto job) {
                     if (!is_full) job();
                     return !is_full;
                   }};
};

TEST_F(KeyChecksTest, OneQuestionForAllStreamsWithOneKey) {
  const auto one = stand(1, "key"), two = stand(1, "key"), other = stand(2, "key");
  const auto bad = stand(1, "bad"), worse = stand(1, "bad"), gone = stand(1, "another");
  gone->is_closed = true;
  checks.ask_soon({one, bad, other, two, worse, gone});
  EXPECT_EQ(book.asked, (Asked{"bad of 1", "key of 1", "key of 2"}));
  EXPECT_EQ(one->until, book.end);
  EXPECT_EQ(two->until, book.end);
  EXPECT_TRUE(bad->is_closed && worse->is_closed);
  EXPECT_FALSE(one->is_closed || other->is_closed);
}

TEST_F(KeyChecksTest, WhatCouldNotBeToldIsAskedAgainAfterAPause) {
  const auto one = stand(1, "key"), two = stand(1, "key");
  book.is_away = true;
  checks.ask_soon({one, two});
  book.is_away = false;
  checks.tick();
  EXPECT_EQ(book.asked.size(), 1U) << "not yet";
  clock.advance(key_check_pause);
  is_full = true;
  checks.tick();
  EXPECT_EQ(book.asked.size(), 1U) << "nobody to ask";
  is_full = false;
  clock.advance(key_check_pause);
  checks.tick();
  EXPECT_EQ(book.asked.size(), 2U);
  EXPECT_EQ(two->until, book.end);
  clock.advance(key_check_pause);
  checks.tick();
  EXPECT_EQ(book.asked.size(), 2U) << "nor ever again";
}

}  // namespace
}  // namespace mp::xds
