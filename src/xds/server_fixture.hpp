// For tests of the server: a gate, a client with a real gRPC stub over loopback, and a fixture that
// holds them. Included by tests of xds/ only.
#pragma once

#include "xds/server.hpp"

#include "base/error.hpp"
#include "xds/conversation.hpp"

#include <envoy/service/discovery/v3/discovery.pb.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <thread>

namespace mp::xds {

namespace discovery = envoy::service::discovery::v3;
inline constexpr std::chrono::seconds patience_of_tests{10};
inline constexpr const char* delta_method =
    "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";
inline constexpr const char* full_method =
    "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";

template <typename Condition>
bool eventually(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + patience_of_tests;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

// Opens for "good" until the end that is set, and for "previous" until `previous_until`.
class TestGate : public Gate {
 public:
  Admission admit(std::string_view key, const NodeInfo& node) override {
    const std::lock_guard lock{mutex};
    if (node.id == "foreign") throw Error{Code::Permission, "the node is another cluster's"};
    if (node.id == "fourth") throw Error{Code::Feature, "the licence allows three proxies"};
    if (node.id == "broken") throw std::runtime_error{"secret detail"};
    if (node.id == "away") throw Error{Code::Unavailable, ""};
    return {.cluster_id = 1,
            .cluster_name = "main",
            .proxy_id = node.id,
            .hostname = node.id,
            .type = node.proxyless                 ? ProxyType::Proxyless
                    : node.proxy_type == "ingress" ? ProxyType::Ingress
                                                   : ProxyType::Egress,
            .listen_address = "0.0.0.0",
            .key_valid_until = until(key)};
  }
  void admit_reader(std::string_view token, std::string_view) override {
    if (token == "olga") throw Error{Code::Permission, ""};
    if (token != "admin") throw Error{Code::Authentication, ""};
  }
  std::optional<Time> check(std::string_view key, std::int64_t) override {
    const std::lock_guard lock{mutex};
    return until(key);
  }

  std::mutex mutex;
  bool good_is_open = true;
  std::optional<Time> previous_until;

 private:
  std::optional<Time> until(std::string_view key) const {
    if (key == "good" && good_is_open) return std::nullopt;
    if (key == "previous" && previous_until) return previous_until;
    throw Error{Code::Authentication, "wrong cluster key"};
  }
};

// A client of one stream, which waits at most `patience_of_tests` for anything.
class TestClient {
 public:
  TestClient(std::shared_ptr<grpc::Channel> channel, const std::string& key,
             const char* method = delta_method)
      : stub_(channel) {
    if (!key.empty()) context_.AddMetadata("x-cluster-api-key", key);
    context_.set_deadline(std::chrono::system_clock::now() + patience_of_tests);
    stream_ = stub_.PrepareCall(&context_, method, &queue_);
    stream_->StartCall(nullptr);
    next();
  }
  ~TestClient() {
    context_.TryCancel();
    if (!finished_) finish();
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }

  template <typename Proto>
  void send(const Proto& proto) {
    grpc::Slice slice{proto.SerializeAsString()};
    stream_->Write(grpc::ByteBuffer{&slice, 1}, nullptr);
    next();
  }
  template <typename Proto>
  bool receive(Proto& proto) {
    grpc::ByteBuffer buffer;
    stream_->Read(&buffer, nullptr);
    if (!next()) return false;
    std::vector<grpc::Slice> slices;
    std::string bytes;
    if (!buffer.Dump(&slices).ok()) return false;
    for (const auto& slice : slices) bytes.append(slice.begin(), slice.end());
    return proto.ParseFromString(bytes);
  }
  // Reads until the server ends the stream.
  grpc::Status end() {
    discovery::DeltaDiscoveryResponse ignored;
    while (receive(ignored)) {
    }
    return finish();
  }
  grpc::Status finish() {
    grpc::Status status;
    stream_->Finish(&status, nullptr);
    next();
    finished_ = true;
    return status;
  }

 private:
  bool next() {
    void* tag = nullptr;
    bool ok = false;
    queue_.Next(&tag, &ok);
    return ok;
  }

  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
  bool finished_ = false;
};

inline discovery::DeltaDiscoveryRequest ask(Type type, const std::string& node = {},
                                            const std::string& proxy_type = "egress") {
  discovery::DeltaDiscoveryRequest request;
  request.set_type_url(std::string(type_url(type)));
  if (node.empty()) return request;
  request.mutable_node()->set_id(node);
  (*request.mutable_node()->mutable_metadata()->mutable_fields())["proxy_type"].set_string_value(
      proxy_type);
  return request;
}

inline discovery::DeltaDiscoveryRequest acknowledge(
    const discovery::DeltaDiscoveryResponse& response) {
  discovery::DeltaDiscoveryRequest request;
  request.set_type_url(response.type_url());
  request.set_response_nonce(response.nonce());
  return request;
}

// A resource whose body is a proper Any, long enough to be shared instead of copied.
inline SnapshotPtr clusters(std::int64_t revision,
                            const std::map<std::string, std::string>& versions) {
  auto made = std::make_shared<Snapshot>();
  made->revision = revision;
  for (const auto& [name, version] : versions) {
    google::protobuf::Any any;
    any.set_type_url(std::string(type_url(Type::Cluster)));
    any.set_value(std::string(5000, 'x'));
    auto resource = std::make_shared<Resource>();
    resource->name = name;
    resource->version = version;
    resource->body = any.SerializeAsString();
    resource->origins = {{.type = "service", .id = 5, .name = name}};
    made->types[0].put(resource);
  }
  return made;
}

struct ServerTest : testing::Test {
  ServerTest() { start({}); }

  void start(std::optional<ServerTls> tls) {
    server = std::make_unique<Server>(ServerOptions{.listen = "127.0.0.1:0",
                                                    .tls = std::move(tls),
                                                    .on_group =
                                                        [this](const GroupKey& key) {
                                                          const std::lock_guard lock{mutex};
                                                          appeared.push_back(key);
                                                        },
                                                    .on_group_gone =
                                                        [this](const GroupKey& key) {
                                                          const std::lock_guard lock{mutex};
                                                          gone.push_back(key);
                                                        }},
                                      gate, status, clock);
    server->start();
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(server->port()); }
  std::shared_ptr<grpc::Channel> channel() const {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(address(), grpc::InsecureChannelCredentials(), arguments);
  }
  // The first request of a client that is let in; answered when a snapshot is there.
  void enter(TestClient& client, const std::string& node) {
    client.send(ask(Type::Cluster, node));
    ASSERT_TRUE(eventually([&] {
      const auto state = status.get(node);
      return state && state->connected;
    }));
  }
  grpc::Status outcome(const std::string& key, const std::string& node) {
    TestClient client{channel(), key};
    client.send(ask(Type::Cluster, node));
    return client.end();
  }

  const GroupKey egress{.cluster_id = 1, .type = ProxyType::Egress, .listen_address = "0.0.0.0"};
  ManualClock clock{Time{Milliseconds{1'000'000}}};
  TestGate gate;
  Status status;
  std::mutex mutex;
  std::vector<GroupKey> appeared;
  std::vector<GroupKey> gone;
  std::unique_ptr<Server> server;
};

}  // namespace mp::xds
