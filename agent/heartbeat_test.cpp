#include "agent/heartbeat.hpp"

#include <gtest/gtest.h>
#include <boost/json/serialize.hpp>

namespace mp::agent {
namespace {

constexpr Machine machine{.ticks_per_second = 100, .processors = 4, .pages = 1000};
constexpr ProcessId process{.pid = 7, .start_time = 50'000};  // 500 s after boot

TEST(Figures, AreRatesBetweenTwoMeasurements) {
  const Measurement before{
      .uptime = 1000, .process = process, .kernel = {.cpu_ticks = 100}, .envoy = {.requests = 40}};
  const Measurement now{
      .uptime = 1010,
      .process = process,
      .kernel = {.cpu_ticks = 1100, .resident_pages = 125},
      .envoy = {.connections = 6, .requests = 65, .bytes_sent = 8, .bytes_received = 9}};
  const Figures seen = figures(before, now, machine);
  EXPECT_EQ(seen.active_connections, 6u);
  EXPECT_DOUBLE_EQ(seen.requests_per_second, 2.5);
  EXPECT_DOUBLE_EQ(seen.cpu_usage, 25);  // 10 s of CPU in 10 s on 4 processors
  EXPECT_DOUBLE_EQ(seen.memory_usage, 12.5);
  EXPECT_EQ(seen.bytes_sent, 8u);
  EXPECT_EQ(seen.bytes_received, 9u);
}

TEST(Figures, CountFromTheStartOfAProcessThatWasNotMeasuredBefore) {
  const Measurement other{
      .uptime = 990, .process = {.pid = 6, .start_time = 1}, .envoy = {.requests = 1'000'000}};
  const Measurement now{
      .uptime = 600, .process = process, .kernel = {.cpu_ticks = 400}, .envoy = {.requests = 300}};
  const Figures seen = figures(other, now, machine);
  EXPECT_DOUBLE_EQ(seen.requests_per_second, 3);
  EXPECT_DOUBLE_EQ(seen.cpu_usage, 1);
}

TEST(Figures, NeverLeaveTheirRange) {
  const Measurement before{.uptime = 1000, .process = process, .envoy = {.requests = 40}};
  const Measurement now{.uptime = 1000.01,
                        .process = process,
                        .kernel = {.cpu_ticks = 1'000'000, .resident_pages = 5000}};
  const Figures seen = figures(before, now, machine);
  EXPECT_EQ(seen.cpu_usage, 100);
  EXPECT_EQ(seen.memory_usage, 100);
  EXPECT_EQ(seen.requests_per_second, 0);
}

TEST(Health, FollowsReadinessAndTheControlPlane) {
  EXPECT_EQ(health(Answer::Ready, {}), Health::Healthy);
  EXPECT_EQ(health(Answer::Ready, {.control_plane_lost = true}), Health::Degraded);
  EXPECT_EQ(health(Answer::NotReady, {}), Health::Unhealthy);
  EXPECT_EQ(health(Answer::Silent, {}), Health::Unhealthy);
}

TEST(HeartbeatBody, HasTheContractsFields) {
  const auto body = heartbeat_body("p-1", Health::Degraded,
                                   {.active_connections = 2, .requests_per_second = 1.5});
  EXPECT_EQ(body.at("proxy_id"), "p-1");
  EXPECT_EQ(body.at("status"), "degraded");
  const auto& metrics = body.at("metrics").as_object();
  EXPECT_EQ(metrics.at("active_connections"), 2u);
  EXPECT_EQ(metrics.at("requests_per_second"), 1.5);
  for (const char* name : {"cpu_usage", "memory_usage", "bytes_sent", "bytes_received"}) {
    EXPECT_TRUE(metrics.contains(name)) << name;
  }
}

}  // namespace
}  // namespace mp::agent
