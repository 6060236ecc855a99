#include "xds/csds_service.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "xds/buffers.hpp"
#include "xds/csds.hpp"

#include <algorithm>
#include <deque>
#include <utility>

namespace mp::xds {
namespace {

constexpr std::size_t most_calls = 16;
constexpr std::size_t largest_answer = 4 << 20;  // bytes of FetchClientStatus; clients take no more
constexpr std::string_view stream_method =
    "/envoy.service.status.v3.ClientStatusDiscoveryService/StreamClientStatus";
constexpr std::string_view fetch_method =
    "/envoy.service.status.v3.ClientStatusDiscoveryService/FetchClientStatus";

enum class Manner { Stream, Fetch };

grpc::Status status_of(const Error& error) {
  return {static_cast<grpc::StatusCode>(facts(error.code).grpc_status), words_of(error)};
}

std::string bearer_of(const grpc::CallbackServerContext& context) {
  constexpr std::string_view scheme = "Bearer ";
  const auto found = context.client_metadata().find("authorization");
  if (found == context.client_metadata().end()) return {};
  const std::string_view text{found->second.data(), found->second.size()};
  return text.starts_with(scheme) ? std::string(text.substr(scheme.size())) : std::string{};
}

// Reads a request, answers it, reads the next: never two of these at once, so that nothing needs a
// lock and Finish() comes when nothing else is under way.
class StatusReactor final : public grpc::ServerGenericBidiReactor {
 public:
  StatusReactor(StatusService& service, Manner manner, grpc::GenericCallbackServerContext& context)
      : service_(service),
        board_(service.board()),
        context_(context),
        manner_(manner),
        token_(bearer_of(context)),
        peer_(address_of(context.peer())) {
    if (service_.enter(context_))
      read();
    else
      end({grpc::StatusCode::RESOURCE_EXHAUSTED, "too many status calls at once"});
  }

  void OnReadDone(bool ok) override {
    show_order();
    if (!ok) return end(grpc::Status::OK);
    later([this] { answer(); });
  }

  void OnWriteDone(bool ok) override {
    show_order();
    if (!ok) return end(grpc::Status::CANCELLED);
    later([this] { send_next(); });
  }

  void OnDone() override {
    show_order();
    service_.leave(context_);
    delete this;
  }

 private:
  // On a thread that may wait for the database.
  template <class Step>
  void later(Step step) {
    const auto job = [this, step] {
      try {
        step();
      } catch (const Error& error) {
        end(status_of(error));
      } catch (const std::exception& fault) {
        log::error("a status call failed", {{"fault", fault.what()}});
        end({grpc::StatusCode::INTERNAL, "internal error"});
      }
    };
    if (!board_.post(job)) end({grpc::StatusCode::UNAVAILABLE, "the server is busy or stops"});
  }

  // gRPC orders what is started and what follows from it by locks that the thread sanitizer does
  // not see: both go through this one too.
  void show_order() { const std::lock_guard lock{order_}; }

  void read() {
    show_order();
    StartRead(&incoming_);
  }

  void end(const grpc::Status& status) {
    show_order();
    Finish(status);
  }

  void answer() {
    board_.gate().admit_reader(token_.reveal(), peer_);
    query_.emplace(to_text(incoming_));
    sessions_.clear();
    for (auto& session : board_.sessions()) {
      const bool counts = session->call().channel == Channel::Aggregated;
      if (counts && query_->matches(session->node_id())) sessions_.push_back(std::move(session));
    }
    std::ranges::sort(sessions_, {}, [](const auto& session) {
      return std::pair(session->node_id(), session->id());
    });
    next_ = 0;
    answered_ = false;
    if (manner_ == Manner::Fetch) return send_all();
    send_next();
  }

  // A client without resources is a part too; nobody at all is an empty answer.
  bool next_part(std::string& part) {
    while (parts_.empty() && next_ < sessions_.size()) {
      const auto report = sessions_[next_++]->describe();
      if (!report) continue;
      for (auto& each : status_parts(*report, *query_)) parts_.push_back(std::move(each));
    }
    if (parts_.empty()) return false;
    part = std::move(parts_.front());
    parts_.pop_front();
    return true;
  }

  void send_next() {
    std::string part;
    if (!next_part(part) && std::exchange(answered_, true)) {
      if (manner_ == Manner::Fetch) return end(grpc::Status::OK);
      return read();
    }
    write(part);
  }

  // Parts are appended to each other: that is how messages of one type are merged, and repeated
  // fields with them.
  void send_all() {
    std::string all, part;
    while (next_part(part)) {
      all += part;
      if (all.size() > largest_answer) {
        throw Error{Code::RateLimit,
                    "the answer is larger than 4 MiB: name nodes in node_matchers, leave out the "
                    "contents, or call StreamClientStatus, which answers in parts"};
      }
    }
    write(all);
  }

  void write(const std::string& bytes) {
    answered_ = true;
    const grpc::Slice slice{bytes};
    outgoing_ = grpc::ByteBuffer{&slice, 1};
    show_order();
    StartWrite(&outgoing_);
  }

  StatusService& service_;
  Switchboard& board_;
  grpc::GenericCallbackServerContext& context_;
  const Manner manner_;
  const Secret token_;
  const std::string peer_;
  grpc::ByteBuffer incoming_;
  grpc::ByteBuffer outgoing_;
  std::optional<StatusQuery> query_;
  std::vector<std::shared_ptr<Session>> sessions_;
  std::size_t next_ = 0;
  std::deque<std::string> parts_;
  bool answered_ = false;
  std::mutex order_;
};

}  // namespace

grpc::ServerGenericBidiReactor* StatusService::react(grpc::GenericCallbackServerContext& context) {
  if (context.method() == stream_method) return new StatusReactor(*this, Manner::Stream, context);
  if (context.method() == fetch_method) return new StatusReactor(*this, Manner::Fetch, context);
  return nullptr;
}

bool StatusService::enter(grpc::GenericCallbackServerContext& context) {
  const std::lock_guard lock{mutex_};
  if (stopped_ || calls_.size() >= most_calls) return false;
  calls_.insert(&context);
  return true;
}

void StatusService::leave(grpc::GenericCallbackServerContext& context) {
  const std::lock_guard lock{mutex_};
  calls_.erase(&context);
}

void StatusService::stop() {
  const std::lock_guard lock{mutex_};
  stopped_ = true;
  for (auto* context : calls_) context->TryCancel();
}

}  // namespace mp::xds
