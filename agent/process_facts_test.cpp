#include "agent/process_facts.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

namespace mp::agent {
namespace {

TEST(ParseProcessStat, ReadsTheFieldsOfTheManualPage) {
  const auto stat = parse_process_stat(
      "42 (a) b ( c) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 7 8 20 0 4 0 987654 10000 321 1844 1 "
      "1 0 0 0 0 0");
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->state, 'S');
  EXPECT_EQ(stat->cpu_ticks, 300u);
  EXPECT_EQ(stat->start_time, 987654u);
  EXPECT_EQ(stat->resident_pages, 321u);
}

TEST(ParseProcessStat, RefusesWhatIsCutOff) {
  EXPECT_FALSE(parse_process_stat(""));
  EXPECT_FALSE(parse_process_stat("42 (envoy"));
  EXPECT_FALSE(parse_process_stat("42 (envoy)"));
  EXPECT_FALSE(parse_process_stat("42 (envoy) S 1 2 3"));
}

TEST(ReadProcessStat, KnowsThisProcessAndNoOther) {
  const auto stat = read_process_stat(getpid());
  ASSERT_TRUE(stat);
  EXPECT_GT(stat->start_time, 0u);
  EXPECT_GT(stat->resident_pages, 0u);
  EXPECT_LE(static_cast<double>(stat->start_time) / this_machine().ticks_per_second, uptime() + 1);
  EXPECT_FALSE(read_process_stat(0));
}

TEST(ReadArguments, ListsThisProcesssArguments) {
  const auto arguments = read_arguments(getpid());
  ASSERT_FALSE(arguments.empty());
  EXPECT_NE(arguments.front().find("test"), std::string::npos);
}

}  // namespace
}  // namespace mp::agent
