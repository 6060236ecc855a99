// Bytes of discovery messages, checked with the generated protobuf classes.
#include "xds/wire.hpp"

#include "base/error.hpp"

#include <envoy/service/discovery/v3/discovery.pb.h>
#include <google/protobuf/any.pb.h>
#include <gtest/gtest.h>

namespace mp::xds {
namespace {

namespace discovery = envoy::service::discovery::v3;

ResourcePtr resource_of(const std::string& name, std::size_t size) {
  google::protobuf::Any any;
  any.set_type_url(std::string(type_url(Type::Cluster)));
  any.set_value(std::string(size, 'x'));
  auto resource = std::make_shared<Resource>();
  resource->name = name;
  resource->version = "v-" + name;
  resource->body = any.SerializeAsString();
  return resource;
}

struct WireTest : testing::Test {
  const Response response{
      .type = Type::Cluster,
      .version = "7",
      .nonce = "n1",
      .resources = {resource_of("small", 10), resource_of("large", 70'000), resource_of("tail", 0)},
      .removed = {"gone", "lost"}};
  Parcels parcels;
};

TEST_F(WireTest, ComposesDeltaResponses) {
  discovery::DeltaDiscoveryResponse proto;
  ASSERT_TRUE(proto.ParseFromString(flatten(compose(Flavour::Delta, response, parcels))));
  EXPECT_EQ(proto.system_version_info(), "7");
  EXPECT_EQ(proto.nonce(), "n1");
  EXPECT_EQ(proto.type_url(), type_url(Type::Cluster));
  ASSERT_EQ(proto.resources_size(), 3);
  for (int n = 0; n < 3; ++n) {
    const auto& expected = *response.resources[static_cast<std::size_t>(n)];
    EXPECT_EQ(proto.resources(n).name(), expected.name);
    EXPECT_EQ(proto.resources(n).version(), expected.version);
    EXPECT_EQ(proto.resources(n).resource().SerializeAsString(), expected.body);
  }
  ASSERT_EQ(proto.removed_resources_size(), 2);
  EXPECT_EQ(proto.removed_resources(1), "lost");
  EXPECT_TRUE(proto.GetReflection()->GetUnknownFields(proto).empty());
}

TEST_F(WireTest, ComposesFullResponses) {
  discovery::DiscoveryResponse proto;
  ASSERT_TRUE(proto.ParseFromString(flatten(compose(Flavour::StateOfTheWorld, response, parcels))));
  EXPECT_EQ(proto.version_info(), "7");
  EXPECT_EQ(proto.nonce(), "n1");
  EXPECT_EQ(proto.type_url(), type_url(Type::Cluster));
  ASSERT_EQ(proto.resources_size(), 3);
  EXPECT_EQ(proto.resources(1).SerializeAsString(), response.resources[1]->body);
  EXPECT_TRUE(proto.GetReflection()->GetUnknownFields(proto).empty());
}

TEST_F(WireTest, SharesLargeBodiesAndCopiesSmallOnes) {
  const Message message = compose(Flavour::Delta, response, parcels);
  ASSERT_EQ(message.size(), 2U);
  EXPECT_EQ(message[0].resource, response.resources[1]);
  EXPECT_FALSE(message[1].resource);
  EXPECT_LT(message[0].bytes.size() + message[1].bytes.size(), 1000U);
}

TEST_F(WireTest, MakesTheBytesOfManyResourcesOnce) {
  Response first{.type = Type::Cluster, .version = "7", .nonce = "n1"};
  for (std::size_t n = 0; n < parcelled_from; ++n)
    first.resources.edit().push_back(resource_of("r" + std::to_string(n), 10 * n));
  Response second = first;
  second.nonce = "n2";
  for (const Flavour flavour : {Flavour::Delta, Flavour::StateOfTheWorld}) {
    Parcels own;
    const Message one = compose(flavour, first, own);
    const Message two = compose(flavour, second, own);
    EXPECT_EQ(one.front().parcel, two.front().parcel);
    EXPECT_TRUE(flatten(two).ends_with("n2"));
  }
  discovery::DeltaDiscoveryResponse proto;
  ASSERT_TRUE(proto.ParseFromString(flatten(compose(Flavour::Delta, second, parcels))));
  ASSERT_EQ(proto.resources_size(), static_cast<int>(parcelled_from));
  EXPECT_EQ(proto.resources(15).resource().SerializeAsString(), second.resources[15]->body);
  EXPECT_EQ(proto.nonce(), "n2");
  second.resources.edit().pop_back();
  second.resources.edit().push_back(resource_of("another", 5));
  EXPECT_NE(flatten(compose(Flavour::Delta, second, parcels)).find("another"), std::string::npos);
}

TEST(Wire, ReadsDeltaRequests) {
  discovery::DeltaDiscoveryRequest proto;
  auto& node = *proto.mutable_node();
  node.set_id("p1");
  node.set_cluster("main");
  (*node.mutable_metadata()->mutable_fields())["proxy_type"].set_string_value("ingress");
  (*node.mutable_metadata()->mutable_fields())["listen_address"].set_string_value("10.0.0.1");
  auto& version = *node.mutable_user_agent_build_version()->mutable_version();
  version.set_major_number(1);
  version.set_minor_number(40);
  proto.set_type_url("t");
  proto.add_resource_names_subscribe("a");
  proto.add_resource_names_unsubscribe("b");
  (*proto.mutable_initial_resource_versions())["c"] = "3";
  proto.set_response_nonce("n");
  proto.mutable_error_detail()->set_message("no");
  const Request request = parse_request(Flavour::Delta, proto.SerializeAsString());
  ASSERT_TRUE(request.node);
  EXPECT_EQ(request.node->id, "p1");
  EXPECT_EQ(request.node->cluster, "main");
  EXPECT_EQ(request.node->proxy_type, "ingress");
  EXPECT_EQ(request.node->listen_address, "10.0.0.1");
  EXPECT_EQ(request.node->version, "1.40.0");
  EXPECT_EQ(request.subscribe, std::vector<std::string>{"a"});
  EXPECT_EQ(request.unsubscribe, std::vector<std::string>{"b"});
  ASSERT_EQ(request.initial_versions.size(), 1U);
  EXPECT_EQ((*request.initial_versions.begin()).version, "3");
  EXPECT_EQ(request.nonce, "n");
  EXPECT_EQ(request.error, "no");
}

TEST(Wire, ReadsFullRequests) {
  discovery::DiscoveryRequest proto;
  proto.set_version_info("5");
  proto.add_resource_names("a");
  const Request request = parse_request(Flavour::StateOfTheWorld, proto.SerializeAsString());
  EXPECT_FALSE(request.node);
  EXPECT_EQ(request.version, "5");
  EXPECT_EQ(request.subscribe, std::vector<std::string>{"a"});
  EXPECT_FALSE(request.error);
}

TEST(Wire, RefusesWhatIsNoRequest) {
  EXPECT_THROW(parse_request(Flavour::Delta, "\xff\xff"), Error);
}

}  // namespace
}  // namespace mp::xds
