// What an answer of the client status discovery service says, and how it is cut.
#include "xds/csds.hpp"

#include "base/error.hpp"
#include "xds/conversation.hpp"

#include <envoy/service/status/v3/csds.pb.h>
#include <gtest/gtest.h>

namespace mp::xds {
namespace {

namespace status = envoy::service::status::v3;
using envoy::admin::v3::ClientResourceStatus;

status::ClientStatusRequest by_id() {
  status::ClientStatusRequest request;
  request.add_node_matchers();
  return request;
}

bool matches(const status::ClientStatusRequest& request, std::string_view id) {
  return StatusQuery(request.SerializeAsString()).matches(id);
}

bool refused(const std::string& bytes) {
  try {
    const StatusQuery query{bytes};
    return false;
  } catch (const Error& error) {
    return error.code == Code::Validation;
  }
}

TEST(StatusQuery, MatchesNodesByTheirId) {
  EXPECT_TRUE(matches({}, "any"));
  auto request = by_id();
  auto& id = *request.mutable_node_matchers(0)->mutable_node_id();
  id.set_exact("egress-1");
  EXPECT_TRUE(matches(request, "egress-1"));
  EXPECT_FALSE(matches(request, "egress-11"));
  EXPECT_FALSE(matches(request, "Egress-1"));
  id.set_ignore_case(true);
  EXPECT_TRUE(matches(request, "Egress-1"));
  id.set_prefix("EGRESS");
  EXPECT_TRUE(matches(request, "egress-1"));
  EXPECT_FALSE(matches(request, "egr"));
  id.set_suffix("-1");
  EXPECT_TRUE(matches(request, "egress-1"));
  EXPECT_FALSE(matches(request, "1"));
  id.set_contains("ress");
  EXPECT_TRUE(matches(request, "egress-1"));
  EXPECT_FALSE(matches(request, "ingres"));
  request.add_node_matchers()->mutable_node_id()->set_exact("ingres");
  EXPECT_TRUE(matches(request, "ingres"));
}

TEST(StatusQuery, RefusesWhatItDoesNotServe) {
  EXPECT_TRUE(refused("\xff\xff"));
  EXPECT_TRUE(refused(by_id().SerializeAsString()));
  auto request = by_id();
  request.mutable_node_matchers(0)->mutable_node_id()->mutable_safe_regex()->set_regex(".*");
  EXPECT_TRUE(refused(request.SerializeAsString()));
  request.mutable_node_matchers(0)->mutable_node_id()->set_exact("a");
  EXPECT_FALSE(refused(request.SerializeAsString()));
  request.mutable_node_matchers(0)->add_node_metadatas();
  EXPECT_TRUE(refused(request.SerializeAsString()));
  request.clear_node_matchers();
  for (int n = 0; n < 101; ++n) request.add_node_matchers()->mutable_node_id()->set_exact("a");
  EXPECT_TRUE(refused(request.SerializeAsString()));
}

// Of a stream that has acknowledged a, refuses the newer b, and has not answered for c.
TEST(StatusParts, TellWhereEachResourceStands) {
  Conversation talk(Flavour::Delta);
  talk.ask(Type::Cluster);
  talk.give(snapshot(1, {{Type::Cluster, {{"a", "1"}, {"b", "1"}}}}));
  talk.accept_all();
  talk.give(snapshot(2, {{Type::Cluster, {{"a", "1"}, {"b", "2"}}}}));
  talk.refuse("goo.gle/debugproto name: \"b\" secret: Proto constraint validation failed (no)");
  talk.give(snapshot(3, {{Type::Cluster, {{"a", "1"}, {"b", "2"}, {"c", "1"}}}}));
  ClientReport report{.node = {.id = "p"}, .cluster = "main"};
  report.resources = talk.stream.resources();
  report.refusals = talk.stream.quarantine().list();
  const auto parts = status_parts(report, StatusQuery(""));
  ASSERT_EQ(parts.size(), 1U);
  status::ClientStatusResponse response;
  ASSERT_TRUE(response.ParseFromString(parts[0]));
  const auto& config = response.config(0);
  EXPECT_EQ(config.node().id(), "p");
  EXPECT_EQ(config.node().cluster(), "main");
  ASSERT_EQ(config.generic_xds_configs_size(), 3);
  const auto& a = config.generic_xds_configs(0);
  EXPECT_EQ(a.name(), "a");
  EXPECT_EQ(a.config_status(), status::SYNCED);
  EXPECT_EQ(a.client_status(), ClientResourceStatus::ACKED);
  EXPECT_EQ(a.last_updated().seconds(), 1000);
  const auto& b = config.generic_xds_configs(1);
  EXPECT_EQ(b.config_status(), status::ERROR);
  EXPECT_EQ(b.client_status(), ClientResourceStatus::NACKED);
  EXPECT_EQ(b.version_info(), "1");
  EXPECT_EQ(b.error_state().version_info(), "2");
  EXPECT_EQ(b.error_state().details().find("secret"), std::string::npos);
  EXPECT_NE(b.error_state().details().find("validation failed"), std::string::npos);
  EXPECT_FALSE(b.error_state().has_failed_configuration());
  const auto& c = config.generic_xds_configs(2);
  EXPECT_EQ(c.config_status(), status::STALE);
  EXPECT_EQ(c.client_status(), ClientResourceStatus::REQUESTED);
  EXPECT_FALSE(c.has_last_updated());
}

TEST(StatusParts, AreBoundedAndCarryTheNode) {
  ClientReport report{.node = {.id = "p"}, .cluster = "main"};
  for (int n = 0; n < 40'000; ++n) {
    const std::string name = "resource-" + std::to_string(n);
    report.resources.push_back({.type = Type::Cluster, .name = name, .held = resource(name, "1")});
  }
  const auto parts = status_parts(report, StatusQuery(""));
  ASSERT_GT(parts.size(), 2U);
  int told = 0;
  for (const auto& part : parts) {
    EXPECT_LT(part.size(), 2 * status_part_size);
    status::ClientStatusResponse response;
    ASSERT_TRUE(response.ParseFromString(part));
    EXPECT_EQ(response.config(0).node().id(), "p");
    told += response.config(0).generic_xds_configs_size();
  }
  EXPECT_EQ(told, 40'000);
}

}  // namespace
}  // namespace mp::xds
