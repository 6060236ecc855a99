#include "agent/envoy_admin.hpp"

#include <gtest/gtest.h>

namespace mp::agent {
namespace {

TEST(ParseStats, SumsListenersWithoutTheirThreadsAndTheAdminInterface) {
  const auto stats = parse_stats(R"({"stats":[
    {"name":"listener.0.0.0.0_80.downstream_cx_active","value":3},
    {"name":"listener.0.0.0.0_80.worker_0.downstream_cx_active","value":2},
    {"name":"listener.0.0.0.0_80.worker_1.downstream_cx_active","value":1},
    {"name":"listener.[__1]_8080.downstream_cx_active","value":4},
    {"name":"listener.admin.downstream_cx_active","value":5},
    {"name":"listener.admin.main_thread.downstream_cx_active","value":5}]})");
  ASSERT_TRUE(stats);
  EXPECT_EQ(stats->connections, 7u);
}

TEST(ParseStats, CountsRequestsAndBytesOfAllProtocols) {
  const auto stats = parse_stats(R"({"stats":[
    {"name":"http.port_80.downstream_rq_total","value":11},
    {"name":"http.port_81.downstream_rq_total","value":1},
    {"name":"http.admin.downstream_rq_total","value":100},
    {"name":"http.port_80.downstream_cx_tx_bytes_total","value":1000},
    {"name":"http.port_80.downstream_cx_rx_bytes_total","value":10},
    {"name":"http.admin.downstream_cx_tx_bytes_total","value":7777},
    {"name":"tcp.port_90.downstream_cx_tx_bytes_total","value":200},
    {"name":"tcp.port_90.downstream_cx_rx_bytes_total","value":20},
    {"name":"udp.port_53.downstream_sess_tx_bytes","value":3},
    {"name":"udp.port_53.downstream_sess_rx_bytes","value":4}]})");
  ASSERT_TRUE(stats);
  EXPECT_EQ(stats->requests, 12u);
  EXPECT_EQ(stats->bytes_sent, 1203u);
  EXPECT_EQ(stats->bytes_received, 34u);
  EXPECT_FALSE(stats->control_plane_lost);
}

TEST(ParseStats, SeesALostControlPlane) {
  EXPECT_TRUE(parse_stats(R"({"stats":[{"name":"control_plane.connected_state","value":0}]})")
                  ->control_plane_lost);
  EXPECT_FALSE(parse_stats(R"({"stats":[{"name":"control_plane.connected_state","value":1}]})")
                   ->control_plane_lost);
}

TEST(ParseStats, SkipsWhatItDoesNotExpect) {
  EXPECT_FALSE(parse_stats("no JSON"));
  EXPECT_FALSE(parse_stats("{}"));
  EXPECT_FALSE(parse_stats(R"({"stats":5})"));
  const auto stats = parse_stats(R"({"stats":[{"histograms":{}}, 5, null,
    {"name":"listener.a.downstream_cx_active","value":-1},
    {"name":"listener.a.downstream_cx_active","value":"many"}]})");
  ASSERT_TRUE(stats);
  EXPECT_EQ(stats->connections, 0u);
}

}  // namespace
}  // namespace mp::agent
