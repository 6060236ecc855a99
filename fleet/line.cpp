#include "fleet/line.hpp"

#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <mutex>
#include <utility>

namespace mp::fleet {
namespace {

constexpr const char* delta_method =
    "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";
constexpr const char* full_method =
    "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";

rpc::Message to_message(Bytes bytes) {
  rpc::Message pieces;
  pieces.push_back({.own = std::move(bytes.own), .shared = nullptr});
  for (auto& text : bytes.shared) pieces.push_back({.own = {}, .shared = std::move(text)});
  return pieces;
}

}  // namespace

rpc::ClientOptions client_options(const Target& target) {
  rpc::ClientOptions options{.address = target.address};
  if (!target.tls.ca_pem.empty()) options.tls = target.tls;
  return options;
}

class Line::Core {
 public:
  Core(Board& board, rpc::Client& client, const Target& target, Identity identity,
       std::size_t number)
      : board_(board),
        client_(client),
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
  // What comes on one call, for the core.
  class Ear final : public rpc::Receiver {
   public:
    explicit Ear(Core& core) : core_(core) {}
    void on_message(std::string_view bytes) override { core_.received(bytes); }
    void on_drained() override { core_.written(); }
    void on_end(const rpc::Status& status) override { core_.done(status); }

   private:
    Core& core_;
  };

  void received(std::string_view bytes);
  void written();
  void done(const rpc::Status& status);
  rpc::Message message(const Request& request, const Identity* identity) {
    return to_message(to_bytes(board_.variant, request, identity, board_.catalogue));
  }

  Board& board_;
  rpc::Client& client_;
  const Target& target_;
  const Identity identity_;
  const std::size_t number_;

  mutable std::mutex mutex_;
  Proxy proxy_;
  std::shared_ptr<rpc::Call> call_;
  std::size_t requests_ = 0, answers_ = 0;  // given to the call and not on the wire yet
  Moment ready_at_{};
  Ended ended_;
};

void Line::Core::connect() {
  const std::lock_guard lock{mutex_};
  ended_ = {};
  ready_at_ = {};
  requests_ = answers_ = 0;
  // Streams of one number share a connection.
  call_ = client_.call(number_ / target_.per_connection,
                       board_.variant == Variant::Delta ? delta_method : full_method,
                       {{"x-cluster-api-key", target_.cluster_key.reveal()}},
                       std::make_shared<Ear>(*this));
  std::vector<rpc::Message> messages;
  const Identity* identity = &identity_;
  for (const Request& request : proxy_.connect())
    messages.push_back(message(request, std::exchange(identity, nullptr)));
  requests_ = messages.size();
  call_->write(std::move(messages));
  call_->read();
  ++board_.open;
}

void Line::Core::cancel() {
  const std::lock_guard lock{mutex_};
  if (call_) call_->abort();
}

void Line::Core::received(std::string_view bytes) {
  google::protobuf::io::ArrayInputStream input{bytes.data(), static_cast<int>(bytes.size())};
  Response response;
  const std::size_t size = bytes.size();
  const bool readable = read(board_.variant, input, board_.catalogue, response);
  if (!readable) ++board_.unreadable;
  if (readable) board_.gauge.received(number_, size, response.resources.size(), Clock::now());
  const std::lock_guard lock{mutex_};
  if (!call_) return;
  call_->read();
  if (!readable) return;
  std::vector<rpc::Message> messages;
  for (const Request& request : proxy_.receive(response))
    messages.push_back(message(request, nullptr));
  requests_ += messages.size() - 1;
  ++answers_;
  call_->write(std::move(messages));
  if (ready_at_ != Moment{} || !proxy_.ready()) return;
  ready_at_ = Clock::now();
  ++board_.ready;
}

void Line::Core::written() {
  const std::lock_guard lock{mutex_};
  const auto now = Clock::now();
  if (std::exchange(requests_, 0) > 0) board_.gauge.requested(number_, now);
  for (auto count = std::exchange(answers_, 0); count > 0; --count)
    board_.gauge.acknowledged(number_, now);
}

void Line::Core::done(const rpc::Status& status) {
  const std::lock_guard lock{mutex_};
  ended_ = {status.code, status.message};
  if (ready_at_ != Moment{}) --board_.ready;
  ready_at_ = {};
  call_.reset();
  --board_.open;
}

Line::Line(Board& board, rpc::Client& client, const Target& target, Identity identity,
           std::size_t number)
    : core_(std::make_unique<Core>(board, client, target, std::move(identity), number)) {}
Line::~Line() = default;
Line::Line(Line&&) noexcept = default;

void Line::connect() { core_->connect(); }
void Line::cancel() { core_->cancel(); }
bool Line::connected() const { return core_->connected(); }
bool Line::ready() const { return core_->ready(); }
Moment Line::ready_at() const { return core_->ready_at(); }
Ended Line::ended() const { return core_->ended(); }

}  // namespace mp::fleet
