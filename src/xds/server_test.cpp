// The server over loopback with a real gRPC client: admission, pushes, ends of streams.
#include "xds/server_fixture.hpp"

#include <atomic>
#include <thread>

namespace mp::xds {
namespace {

TEST_F(ServerTest, TellsWhyItLetsNobodyIn) {
  EXPECT_EQ(outcome("", "p").error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(outcome("bad", "p").error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(outcome("good", "foreign").error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(outcome("good", "fourth").error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(outcome("good", "away").error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(outcome("good", "").error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(outcome("good", "a b").error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(outcome("good", std::string(65, 'x')).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  const auto broken = outcome("good", "broken");
  EXPECT_EQ(broken.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ(broken.error_message(), "internal error");
  EXPECT_FALSE(status.get("p"));
}

TEST_F(ServerTest, OtherMethodsAreUnimplemented) {
  TestClient client{channel(), "good",
                    "/envoy.service.health.v3.HealthDiscoveryService/StreamHealthCheck"};
  EXPECT_EQ(client.end().error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

// They go onto the wire together; the call's first one takes the metadata along, and waits for
// none.
TEST_F(ServerTest, SeveralResponsesOfOneStepAreSentAlsoWhenTheyAreTheFirst) {
  TestClient client{channel(), "good"};
  client.send(ask(Type::ScopedRoute, "p"));
  ASSERT_TRUE(eventually([&] { return server->groups() == std::vector{egress}; }));
  for (const std::string version : {"1", "2"}) {
    const auto content = clusters(3, {{"a", version}, {"b", version}, {"c", version}});
    auto scopes = std::make_shared<Snapshot>(*content);
    std::swap(scopes->types.front(), scopes->types.back());
    server->publish(egress, scopes);
    for (const std::string name : {"a", "b", "c"}) {
      discovery::DeltaDiscoveryResponse response;
      ASSERT_TRUE(client.receive(response));
      ASSERT_EQ(response.resources_size(), 1);
      EXPECT_EQ(response.resources(0).name(), name);
      EXPECT_EQ(response.resources(0).version(), version);
      client.send(acknowledge(response));
    }
  }
}

TEST_F(ServerTest, PushesAndFollowsTheAnswers) {
  TestClient client{channel(), "good"};
  enter(client, "p");
  ASSERT_TRUE(eventually([&] { return server->groups() == std::vector{egress}; }));
  server->publish(egress, clusters(3, {{"a", "1"}, {"b", "1"}}));
  discovery::DeltaDiscoveryResponse response;
  ASSERT_TRUE(client.receive(response));
  ASSERT_EQ(response.resources_size(), 2);
  EXPECT_EQ(response.resources(1).name(), "b");
  EXPECT_EQ(response.resources(1).resource().value(), std::string(5000, 'x'));
  client.send(acknowledge(response));
  client.send(ask(Type::Listener));
  ASSERT_TRUE(client.receive(response));
  client.send(acknowledge(response));
  ASSERT_TRUE(eventually([&] { return status.get("p")->state == State::Live; }));
  EXPECT_EQ(status.get("p")->revision, 3);
  EXPECT_EQ(status.get("p")->types.at(0).resources, 2U);

  server->publish(egress, clusters(4, {{"a", "1"}, {"b", "2"}}));
  ASSERT_TRUE(client.receive(response));
  EXPECT_EQ(response.resources_size(), 1);
  auto refusal = acknowledge(response);
  refusal.mutable_error_detail()->set_message("no");
  client.send(refusal);
  ASSERT_TRUE(eventually([&] { return status.get("p")->state == State::Rejected; }));
  EXPECT_EQ(status.object_refusals("service", 5).at(0).message, "no");
  EXPECT_TRUE(server->retry("p"));
  ASSERT_TRUE(client.receive(response));
  client.send(acknowledge(response));
  ASSERT_TRUE(eventually([&] { return status.get("p")->state == State::Live; }));
  EXPECT_FALSE(server->retry("q"));
  EXPECT_EQ(status.counters().pushes, 4U);
  EXPECT_EQ(status.counters().acknowledgements, 3U);
  EXPECT_EQ(status.counters().refusals, 1U);
  EXPECT_EQ(status.counters().streams, 1);
}

TEST_F(ServerTest, SpeaksStateOfTheWorldToo) {
  TestClient client{channel(), "good", full_method};
  discovery::DiscoveryRequest request;
  request.set_type_url(std::string(type_url(Type::Cluster)));
  request.mutable_node()->set_id("p");
  client.send(request);
  GroupKey group = egress;
  group.flavour = Flavour::StateOfTheWorld;
  ASSERT_TRUE(eventually([&] { return server->groups() == std::vector{group}; }));
  server->publish(group, clusters(3, {{"a", "1"}}));
  discovery::DiscoveryResponse response;
  ASSERT_TRUE(client.receive(response));
  EXPECT_EQ(response.resources_size(), 1);
}

TEST_F(ServerTest, GivesOldEnvoysTheOtherFormOfRoutesInTheirOwnVariant) {
  TestClient client{channel(), "good"};
  auto request = ask(Type::Cluster, "p");
  auto& version = *request.mutable_node()->mutable_user_agent_build_version()->mutable_version();
  version.set_major_number(1);
  version.set_minor_number(36);
  client.send(request);
  GroupKey group = egress;
  group.flavour = Flavour::StateOfTheWorld;
  ASSERT_TRUE(eventually([&] { return server->groups() == std::vector{group}; }));
  server->publish(group, clusters(3, {{"a", "1"}}));
  discovery::DeltaDiscoveryResponse response;
  ASSERT_TRUE(client.receive(response));
  EXPECT_EQ(response.resources_size(), 1);
}

discovery::DiscoveryRequest ask_without_proxy(const std::string& key) {
  discovery::DiscoveryRequest request;
  request.set_type_url(std::string(type_url(Type::Listener)));
  request.add_resource_names("shop");
  request.mutable_node()->set_id("checkout");
  auto& metadata = *request.mutable_node()->mutable_metadata()->mutable_fields();
  metadata["proxy_type"].set_string_value("grpc");
  metadata["x-cluster-api-key"].set_string_value(key);
  return request;
}

TEST_F(ServerTest, ClientsWithoutAProxyShowTheKeyInTheNodeAndMayShareAName) {
  TestClient one{channel(), "", full_method};
  TestClient two{channel(), "", full_method};
  one.send(ask_without_proxy("good"));
  two.send(ask_without_proxy("good"));
  const GroupKey group{.cluster_id = 1,
                       .type = ProxyType::Proxyless,
                       .listen_address = "0.0.0.0",
                       .flavour = Flavour::StateOfTheWorld};
  ASSERT_TRUE(eventually([&] { return server->groups() == std::vector{group}; }));
  ASSERT_TRUE(eventually([&] { return status.counters().streams == 2; }));
  auto listeners = std::make_shared<Snapshot>();
  listeners->revision = 3;
  listeners->types[static_cast<std::size_t>(Type::Listener)] =
      clusters(3, {{"shop", "1"}, {"other", "1"}})->of(Type::Cluster);
  server->publish(group, std::move(listeners));
  discovery::DiscoveryResponse response;
  ASSERT_TRUE(one.receive(response));
  EXPECT_EQ(response.resources_size(), 1) << "only what was asked for";
  ASSERT_TRUE(two.receive(response));
  EXPECT_FALSE(status.get("checkout")) << "it is no proxy";
  TestClient wrong{channel(), "", full_method};
  wrong.send(ask_without_proxy("bad"));
  EXPECT_EQ(wrong.end().error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(ServerTest, TellsWhenGroupsComeAndGo) {
  {
    TestClient one{channel(), "good"};
    TestClient two{channel(), "good"};
    enter(one, "p");
    enter(two, "q");
    TestClient three{channel(), "good"};
    three.send(ask(Type::Cluster, "r", "ingress"));
    ASSERT_TRUE(eventually([&] { return server->groups().size() == 2; }));
  }
  ASSERT_TRUE(eventually([&] { return server->groups().empty(); }));
  ASSERT_TRUE(eventually([&] {
    const std::lock_guard lock{mutex};
    return gone.size() == 2;
  }));
  EXPECT_EQ(appeared.size(), 2U);
  EXPECT_EQ(status.get("p")->state, State::Offline);
  EXPECT_EQ(status.counters().streams, 0);
}

TEST_F(ServerTest, APreviousKeyWorksUntilItsEnd) {
  gate.previous_until = clock.now() + std::chrono::hours{1};
  TestClient client{channel(), "previous"};
  enter(client, "p");
  clock.advance(std::chrono::hours{1});
  const auto end = client.end();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(end.error_message(), "cluster key expired");
}

TEST_F(ServerTest, ARecheckClosesWhatIsNoLongerAllowed) {
  TestClient client{channel(), "good"};
  enter(client, "p");
  server->recheck(1);
  server->recheck(2);
  EXPECT_TRUE(status.get("p")->connected);
  {
    const std::lock_guard lock{gate.mutex};
    gate.good_is_open = false;
  }
  server->recheck(1);
  EXPECT_EQ(client.end().error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(ServerTest, ANewerStreamTakesThePlace) {
  TestClient old{channel(), "good"};
  enter(old, "p");
  TestClient young{channel(), "good"};
  young.send(ask(Type::Cluster, "p"));
  EXPECT_EQ(old.end().error_code(), grpc::StatusCode::ABORTED);
  EXPECT_TRUE(status.get("p")->connected);
  EXPECT_EQ(server->groups(), std::vector{egress});
  server->publish(egress, clusters(1, {{"a", "1"}}));
  discovery::DeltaDiscoveryResponse response;
  EXPECT_TRUE(young.receive(response));
}

TEST_F(ServerTest, ADeletedProxyIsClosed) {
  TestClient client{channel(), "good"};
  enter(client, "p");
  server->close_proxy("p", "the proxy was deleted");
  const auto end = client.end();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(end.error_message(), "the proxy was deleted");
}

TEST_F(ServerTest, StopEndsTheStreams) {
  TestClient client{channel(), "good"};
  enter(client, "p");
  std::thread stopping{[&] { server->stop(); }};
  EXPECT_EQ(client.end().error_code(), grpc::StatusCode::UNAVAILABLE);
  stopping.join();
  server->stop();
}

TEST_F(ServerTest, AnAddressInUseIsAnError) {
  Server second{ServerOptions{.listen = address()}, gate, status, clock};
  EXPECT_THROW(second.start(), Error);
}

TEST_F(ServerTest, WaitsEndByTheClock) {
  TestClient client{channel(), "good"};
  enter(client, "p");
  std::atomic<int> ended{-1};
  status.when_settled(1, 99, clock.now() + Milliseconds{50},
                      [&](State state) { ended = static_cast<int>(state); });
  clock.advance(Milliseconds{50});
  EXPECT_TRUE(eventually([&] { return ended == static_cast<int>(State::Pending); }));
}

TEST_F(ServerTest, ManyStreamsComeGoAndFollow) {
  std::atomic<bool> publishing{true};
  std::thread publisher{[&] {
    for (std::int64_t n = 1; publishing; ++n) {
      for (const auto& group : server->groups()) {
        server->publish(group, clusters(n, {{"a", std::to_string(n)}, {"b", "1"}}));
      }
      std::this_thread::yield();
    }
  }};
  std::vector<std::thread> proxies;
  for (int p = 0; p < 4; ++p) {
    proxies.emplace_back([&, p] {
      for (int round = 0; round < 5; ++round) {
        TestClient client{channel(), "good"};
        client.send(ask(Type::Cluster, "p" + std::to_string(p)));
        discovery::DeltaDiscoveryResponse response;
        for (int n = 0; n < 5; ++n) {
          ASSERT_TRUE(client.receive(response));
          client.send(acknowledge(response));
        }
      }
    });
  }
  for (auto& proxy : proxies) proxy.join();
  publishing = false;
  publisher.join();
  EXPECT_TRUE(eventually([&] { return server->groups().empty(); }));
}

TEST_F(ServerTest, StatusCallsThatAskNothingKeepNobodyOut) {
  const char* method = "/envoy.service.status.v3.ClientStatusDiscoveryService/StreamClientStatus";
  const auto shared = channel();
  std::vector<std::unique_ptr<TestClient>> silent;
  for (int n = 0; n < 20; ++n) silent.push_back(std::make_unique<TestClient>(shared, "", method));
  TestClient asks{shared, "", method};
  asks.send(discovery::DeltaDiscoveryRequest{});
  EXPECT_EQ(asks.end().error_code(), grpc::StatusCode::UNAUTHENTICATED)
      << "and not that they are too many";
}

}  // namespace
}  // namespace mp::xds
