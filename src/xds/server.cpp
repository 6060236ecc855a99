#include "xds/server.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "xds/buffers.hpp"
#include "xds/csds_service.hpp"
#include "xds/log_stream.hpp"
#include "xds/switchboard.hpp"
#include "xds/tls_credentials.hpp"

#include <absl/synchronization/mutex.h>
#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <array>
#include <atomic>
#include <chrono>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

namespace mp::xds {
namespace {

constexpr int largest_request = 64 << 20;  // bytes
constexpr std::chrono::seconds stop_patience{5};
constexpr const char* key_metadata = "x-cluster-api-key";

struct Method {
  std::string_view path;
  Channel channel;
  Flavour flavour;
};
constexpr std::array methods{
    Method{"/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources",
           Channel::Aggregated, Flavour::Delta},
    Method{"/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources",
           Channel::Aggregated, Flavour::StateOfTheWorld},
    Method{"/envoy.service.secret.v3.SecretDiscoveryService/DeltaSecrets", Channel::Secrets,
           Flavour::Delta},
    Method{"/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets", Channel::Secrets,
           Flavour::StateOfTheWorld},
    Method{"/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs", Channel::Logs,
           Flavour::Delta},
};

Secret key_of(const grpc::CallbackServerContext& context) {
  const auto found = context.client_metadata().find(key_metadata);
  if (found == context.client_metadata().end()) return Secret{};
  return Secret{std::string(found->second.data(), found->second.size())};
}

// Bytes that `owner` keeps. gRPC's interface takes a mutable pointer and does not write to it.
template <class Owner>
grpc::Slice shared_slice(const std::string& bytes, const Owner& owner) {
  return {const_cast<char*>(bytes.data()), bytes.size(),
          [](void* kept) { delete static_cast<Owner*>(kept); }, new Owner(owner)};
}

grpc::ByteBuffer to_buffer(const Message& message) {
  std::vector<grpc::Slice> slices;
  slices.reserve(message.size() * 2);
  for (const auto& chunk : message) {
    if (!chunk.bytes.empty()) slices.emplace_back(chunk.bytes);
    if (chunk.resource) slices.push_back(shared_slice(chunk.resource->body, chunk.resource));
    if (chunk.parcel) slices.push_back(shared_slice(*chunk.parcel, chunk.parcel));
  }
  return {slices.data(), slices.size()};
}

// One call. gRPC's rules: one read and one write at a time; Finish once, after the last write;
// OnDone comes when every other reaction has returned, and then the object goes.
class Reactor final : public grpc::ServerGenericBidiReactor, public Line {
 public:
  // `enter` gives who speaks on this line: nobody when the server stops. `calls` counts those that
  // are there.
  template <class Enter>
  Reactor(std::atomic<int>& calls, grpc::GenericCallbackServerContext& context,
          const Method& method, Enter enter)
      : context_(context), calls_(calls) {
    ++calls_;
    std::shared_ptr<Caller> caller = enter(Call{.channel = method.channel,
                                                .flavour = method.flavour,
                                                .cluster_key = key_of(context),
                                                .peer = address_of(context.peer())},
                                           *this);
    {
      const std::lock_guard lock{mutex_};
      caller_ = caller;
    }
    if (caller)
      StartRead(&incoming_);
    else
      Finish({grpc::StatusCode::UNAVAILABLE, "the server stops"});
  }

  std::size_t write(const std::vector<Message>& messages) override {
    const std::lock_guard lock{mutex_};
    if (ending_) return 0;
    for (const Message& message : messages) outgoing_.push_back(to_buffer(message));
    if (!std::exchange(writing_, true)) write_next();
    return outgoing_.size();
  }

  void read() override {
    const std::lock_guard lock{mutex_};
    if (!ending_) StartRead(&incoming_);  // after Finish the call may be gone before its reactor is
  }

  void finish(int grpc_status, const std::string& message) override {
    end({static_cast<grpc::StatusCode>(grpc_status), message});
  }

  void abort() override { context_.TryCancel(); }

  void OnReadDone(bool ok) override {
    if (!ok) return end(grpc::Status::OK);
    const auto reader = caller();  // first: its lock shows that the buffer was made before
    const std::string bytes = to_text(incoming_);
    incoming_.Clear();  // or it would keep what came with it on the wire, until the next message
    reader->on_message(bytes);
  }

  void OnWriteDone(bool ok) override {
    {
      const std::lock_guard lock{mutex_};
      writing_ = false;
      if (!ok && !ending_) ending_ = grpc::Status::CANCELLED;
      if (ending_) {
        outgoing_.clear();
        return Finish(*ending_);
      }
      outgoing_.pop_front();
      if (!outgoing_.empty()) {
        writing_ = true;
        return write_next();
      }
    }
    caller()->on_drained();
  }

  void OnCancel() override { end(grpc::Status::CANCELLED); }

  void OnDone() override {
    if (const auto gone = caller()) gone->on_gone();
    std::atomic<int>& calls = calls_;
    delete this;
    --calls;
  }

 private:
  std::shared_ptr<Caller> caller() {
    const std::lock_guard lock{mutex_};
    return caller_;
  }

  // What another message follows goes onto the wire together with that one. Not the first of all:
  // it takes the call's metadata with it, which gRPC sends with no message that may wait.
  void write_next() {
    grpc::WriteOptions options;
    if (std::exchange(begun_, true) && outgoing_.size() > 1) options.set_buffer_hint();
    StartWrite(&outgoing_.front(), options);
  }

  void end(grpc::Status status) {
    const std::lock_guard lock{mutex_};
    if (ending_) return;
    ending_ = std::move(status);
    if (!writing_) Finish(*ending_);
  }

  grpc::GenericCallbackServerContext& context_;
  std::atomic<int>& calls_;
  grpc::ByteBuffer incoming_;

  // Guards what follows; the caller too, although gRPC orders the reactions, because the thread
  // sanitizer does not see how.
  std::mutex mutex_;
  std::shared_ptr<Caller> caller_;
  std::list<grpc::ByteBuffer> outgoing_;  // bounded by the caller, which asks for the length
  bool writing_ = false;
  bool begun_ = false;
  std::optional<grpc::Status> ending_;
};

class Discovery final : public grpc::CallbackGenericService {
 public:
  Discovery(Switchboard& board, LogDesk& desk) : board_(board), desk_(desk), status_(board) {}

  void stop() { status_.stop(); }

  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    for (const auto& method : methods) {
      if (method.path == context->method()) return open(*context, method);
    }
    if (auto* reactor = status_.react(*context)) return reactor;
    return grpc::CallbackGenericService::CreateReactor(context);  // UNIMPLEMENTED
  }

  // gRPC has waited for them when it is shut down, in a way that the thread sanitizer does not see.
  void wait() const {
    while (calls_ != 0) std::this_thread::yield();
  }

 private:
  Reactor* open(grpc::GenericCallbackServerContext& context, const Method& method) {
    return new Reactor(calls_, context, method,
                       [&](Call call, Line& line) -> std::shared_ptr<Caller> {
                         if (method.channel == Channel::Logs)
                           return desk_.add(std::move(call), line);
                         return board_.add(std::move(call), line);
                       });
  }

  Switchboard& board_;
  LogDesk& desk_;
  std::atomic<int> calls_{0};
  StatusService status_;
};

// gRPC writes to stderr in its own form; its words are for who looks for a fault.
void write_log(gpr_log_func_args* args) {
  log::debug("grpc",
             {{"text", args->message}, {"file", args->file}, {"line", std::to_string(args->line)}});
}

// protobuf's too, which complains of texts that are no UTF-8.
void write_protobuf_log(google::protobuf::LogLevel, const char* file, int line,
                        const std::string& text) {
  log::debug("protobuf", {{"text", text}, {"file", file}, {"line", std::to_string(line)}});
}

// A dead proxy is noticed within 40 s; a proxy may ping as often as every 5 s.
void configure(grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(largest_request);
  builder.SetMaxSendMessageSize(-1);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // Pings that measure a connection's bandwidth, statistics of each, and what would compress
  // messages if it was told to: nobody needs them.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder.AddChannelArgument(GRPC_ARG_ENABLE_CHANNELZ, 0);
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5'000);
}

}  // namespace

class Server::Core {
 public:
  Core(ServerOptions options, Gate& gate, Status& status, const Clock& clock)
      : options_(std::move(options)),
        desk_(gate, clock, options_.logs, status.counters()),
        board_(
            options_.on_group, options_.on_group_gone, [this](Time now) { desk_.tick(now); }, gate,
            status, clock),
        discovery_(board_, desk_) {
    if (options_.tls) tls_ = std::make_shared<TlsCredentials>(*options_.tls);
  }
  ~Core() { stop(); }

  void start() {
    // Where abseil looks for deadlocks between gRPC's locks, as Debian's does, a push costs 7 %
    // more.
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
    gpr_set_log_function(write_log);
    google::protobuf::SetLogHandler(write_protobuf_log);
    grpc::ServerBuilder builder;
    configure(builder);
    builder.AddListeningPort(options_.listen, credentials(), &port_);
    builder.RegisterCallbackGenericService(&discovery_);
    for (grpc::Service* service : options_.services) builder.RegisterService(service);
    server_ = builder.BuildAndStart();
    if (!server_ || port_ == 0) {
      throw unavailable("The discovery server cannot listen on " + options_.listen,
                        "address in use, or the TLS files do not parse");
    }
  }

  void stop() {
    board_.stop();
    discovery_.stop();
    desk_.stop();
    if (!server_) return;
    server_->Shutdown(std::chrono::system_clock::now() + stop_patience);
    server_.reset();
    discovery_.wait();
  }

  void renew(ServerTls tls) {
    if (tls_) tls_->renew(std::move(tls));
  }

  int port() const { return port_; }
  Switchboard& board() { return board_; }
  LogDesk& desk() { return desk_; }

 private:
  std::shared_ptr<grpc::ServerCredentials> credentials() const {
    return tls_ ? tls_ : grpc::InsecureServerCredentials();
  }

  const ServerOptions options_;
  LogDesk desk_;
  Switchboard board_;
  Discovery discovery_;
  std::shared_ptr<TlsCredentials> tls_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

Server::Server(ServerOptions options, Gate& gate, Status& status, const Clock& clock)
    : core_(std::make_unique<Core>(std::move(options), gate, status, clock)) {}
Server::~Server() = default;

void Server::start() { core_->start(); }
int Server::port() const { return core_->port(); }
void Server::publish(const GroupKey& group, SnapshotPtr snapshot) {
  core_->board().publish(group, std::move(snapshot));
}
std::vector<GroupKey> Server::groups() const { return core_->board().groups(); }
void Server::recheck(std::int64_t cluster_id) {
  core_->board().recheck(cluster_id);
  core_->desk().recheck(cluster_id);
}
void Server::close_proxy(std::string_view proxy_id, std::string_view reason) {
  core_->board().close_proxy(proxy_id, std::string(reason));
  core_->desk().close_proxy(proxy_id, std::string(reason));
}
bool Server::retry(std::string_view proxy_id) { return core_->board().retry(proxy_id); }
void Server::renew(ServerTls tls) { core_->renew(std::move(tls)); }
void Server::stop() { core_->stop(); }

}  // namespace mp::xds
