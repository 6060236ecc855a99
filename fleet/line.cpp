#include "fleet/line.hpp"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_buffer_reader.h>

#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace mp::fleet {
namespace {

constexpr const char* delta_method =
    "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";
constexpr const char* full_method =
    "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";

struct Outgoing {
  grpc::ByteBuffer bytes;
  bool acknowledges = false;
};

// gRPC's interface takes a mutable pointer and does not write to it.
grpc::Slice slice_of(const std::shared_ptr<const std::string>& text) {
  using Owner = std::shared_ptr<const std::string>;
  return {const_cast<char*>(text->data()), text->size(),
          [](void* kept) { delete static_cast<Owner*>(kept); }, new Owner(text)};
}

grpc::ByteBuffer to_buffer(const Bytes& bytes) {
  std::vector<grpc::Slice> slices{grpc::Slice{bytes.own}};
  for (const auto& text : bytes.shared) slices.push_back(slice_of(text));
  return {slices.data(), slices.size()};
}

// Streams of one number share a connection: a channel with the same arguments does.
std::shared_ptr<grpc::Channel> make_channel(const Target& target, std::size_t number) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  // As Envoy: no pings that measure the bandwidth, and windows that hold back nothing.
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 16 << 20);
  arguments.SetInt(GRPC_ARG_ENABLE_CHANNELZ, 0);
  // Nobody reads compressed messages or sends them again.
  arguments.SetInt(GRPC_ARG_MINIMAL_STACK, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  // Where connections are shared they are looked for among all, by all of their arguments.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, target.per_connection == 1 ? 1 : 0);
  arguments.SetInt("marchproxy.connection", static_cast<int>(number / target.per_connection));
  if (!target.ca_pem.empty()) arguments.SetSslTargetNameOverride(target.server_name);
  const auto credentials =
      target.ca_pem.empty()
          ? grpc::InsecureChannelCredentials()
          : grpc::SslCredentials(
                {.pem_root_certs = target.ca_pem, .pem_private_key = {}, .pem_cert_chain = {}});
  return grpc::CreateCustomChannel(target.address, credentials, arguments);
}

}  // namespace

class Line::Core {
 public:
  Core(Board& board, const Target& target, Identity identity, std::size_t number)
      : board_(board),
        target_(target),
        identity_(std::move(identity)),
        number_(number),
        proxy_(board.variant) {}

  void connect();
  void cancel();

  bool connected() const {
    const std::lock_guard lock{mutex_};
    return call_ != nullptr;
  }
  bool ready() const {
    const std::lock_guard lock{mutex_};
    return ready_at_ != Moment{};
  }
  Moment ready_at() const {
    const std::lock_guard lock{mutex_};
    return ready_at_;
  }
  Ended ended() const {
    const std::lock_guard lock{mutex_};
    return ended_;
  }

 private:
  // gRPC's rules: one read and one write at a time; after OnDone the object goes.
  class Call final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
   public:
    Call(Core& core, std::shared_ptr<grpc::Channel> channel) : core_(core), stub_(channel) {
      context_.AddMetadata("x-cluster-api-key", core.target_.cluster_key.reveal());
      stub_.PrepareBidiStreamingCall(
          &context_, core.board_.variant == Variant::Delta ? delta_method : full_method, {}, this);
    }
    void begin() {
      StartRead(&incoming_);
      StartCall();
    }
    void write(const grpc::ByteBuffer& bytes, grpc::WriteOptions options) {
      StartWrite(&bytes, options);
    }
    void cancel() { context_.TryCancel(); }
    void OnReadDone(bool ok) override {
      if (!ok) return;
      core_.received(incoming_);
      incoming_.Clear();
      StartRead(&incoming_);
    }
    void OnWriteDone(bool ok) override { core_.written(ok); }
    void OnDone(const grpc::Status& status) override { core_.done(status); }

   private:
    Core& core_;
    grpc::GenericStub stub_;
    grpc::ClientContext context_;
    grpc::ByteBuffer incoming_;
  };

  void received(const grpc::ByteBuffer& buffer);
  void written(bool ok);
  void done(const grpc::Status& status);
  void push(const Request& request, bool acknowledges, const Identity* identity);
  void write_on();

  Board& board_;
  const Target& target_;
  const Identity identity_;
  const std::size_t number_;

  mutable std::mutex mutex_;
  Proxy proxy_;
  std::unique_ptr<Call> call_;
  std::unique_ptr<Call> finished_;  // and its channel, which must not end on a thread of its own
  std::deque<Outgoing> outgoing_;   // the first one is being written when `writing_`
  bool writing_ = false;
  Moment ready_at_{};
  Ended ended_;
};

void Line::Core::connect() {
  const std::lock_guard lock{mutex_};
  ended_ = {};
  ready_at_ = {};
  finished_.reset();
  call_ = std::make_unique<Call>(*this, make_channel(target_, number_));
  const Identity* identity = &identity_;
  for (const Request& request : proxy_.connect()) {
    push(request, false, identity);
    identity = nullptr;
  }
  write_on();
  call_->begin();
  ++board_.open;
}

void Line::Core::cancel() {
  const std::lock_guard lock{mutex_};
  if (call_) call_->cancel();
}

void Line::Core::received(const grpc::ByteBuffer& buffer) {
  const auto size = buffer.Length();
  grpc::ByteBuffer copy{buffer};  // shares the bytes; the reader takes none that is const
  grpc::ProtoBufferReader reader{&copy};
  Response response;
  if (!read(board_.variant, reader, board_.catalogue, response)) {
    ++board_.unreadable;
    return;
  }
  board_.gauge.received(size, response.resources.size(), Clock::now());
  const std::lock_guard lock{mutex_};
  const auto requests = proxy_.receive(response);
  for (std::size_t n = 0; n < requests.size(); ++n)
    push(requests[n], n + 1 == requests.size(), nullptr);
  write_on();
  if (ready_at_ != Moment{} || !proxy_.ready()) return;
  ready_at_ = Clock::now();
  ++board_.ready;
}

void Line::Core::push(const Request& request, bool acknowledges, const Identity* identity) {
  outgoing_.push_back(
      {to_buffer(to_bytes(board_.variant, request, identity, board_.catalogue)), acknowledges});
}

// What another request follows goes onto the wire together with that one.
void Line::Core::write_on() {
  if (outgoing_.empty() || std::exchange(writing_, true)) return;
  grpc::WriteOptions options;
  if (outgoing_.size() > 1) options.set_buffer_hint();
  call_->write(outgoing_.front().bytes, options);
}

void Line::Core::written(bool ok) {
  const std::lock_guard lock{mutex_};
  if (!ok) return;
  const bool acknowledged = outgoing_.front().acknowledges;
  outgoing_.pop_front();
  if (acknowledged)
    board_.gauge.acknowledged(number_, Clock::now());
  else
    board_.gauge.requested(Clock::now());
  writing_ = false;
  write_on();
}

void Line::Core::done(const grpc::Status& status) {
  const std::lock_guard lock{mutex_};
  ended_ = {static_cast<int>(status.error_code()), status.error_message()};
  if (ready_at_ != Moment{}) --board_.ready;
  ready_at_ = {};
  outgoing_.clear();
  writing_ = false;
  finished_ = std::move(call_);
  --board_.open;
}

Line::Line(Board& board, const Target& target, Identity identity, std::size_t number)
    : core_(std::make_unique<Core>(board, target, std::move(identity), number)) {}
Line::~Line() = default;
Line::Line(Line&&) noexcept = default;

void Line::connect() { core_->connect(); }
void Line::cancel() { core_->cancel(); }
bool Line::connected() const { return core_->connected(); }
bool Line::ready() const { return core_->ready(); }
Moment Line::ready_at() const { return core_->ready_at(); }
Ended Line::ended() const { return core_->ended(); }

}  // namespace mp::fleet
