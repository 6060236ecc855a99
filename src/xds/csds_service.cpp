#include "xds/csds_service.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "xds/csds.hpp"

#include <algorithm>
#include <deque>
#include <utility>

namespace mp::xds {
namespace {

constexpr std::size_t most_seats = 16;
constexpr std::size_t largest_answer = 4 << 20;  // bytes of FetchClientStatus; clients take no more
constexpr std::string_view stream_method =
    "/envoy.service.status.v3.ClientStatusDiscoveryService/StreamClientStatus";
constexpr std::string_view fetch_method =
    "/envoy.service.status.v3.ClientStatusDiscoveryService/FetchClientStatus";

enum class Manner { Stream, Fetch };

rpc::Status status_of(const Error& error) {
  return {facts(error.code).grpc_status, words_of(error)};
}

std::string bearer_of(const rpc::Call& call) {
  constexpr std::string_view scheme = "Bearer ";
  const std::string_view text = call.field("authorization");
  return text.starts_with(scheme) ? std::string(text.substr(scheme.size())) : std::string{};
}

// Reads a request, answers it, reads the next: never two of these at once, so that nothing needs a
// lock. A client that says no more after a request is answered and finished by the call itself.
class StatusCall final : public rpc::Receiver, public std::enable_shared_from_this<StatusCall> {
 public:
  StatusCall(StatusService& service, Manner manner, std::shared_ptr<rpc::Call> call)
      : service_(service),
        board_(service.board()),
        call_(std::move(call)),
        manner_(manner),
        token_(bearer_of(*call_)),
        peer_(call_->peer()) {
    if (service_.enter(call_))
      call_->read();
    else
      end({rpc::code::unavailable, "the server stops"});
  }

  // Who asks nothing takes nobody's seat.
  void on_message(std::string_view bytes) override {
    if (!seated_ && !(seated_ = service_.take_seat()))
      return end({rpc::code::resource_exhausted, "too many status calls at once"});
    incoming_ = bytes;
    later([this] { answer(); });
  }

  void on_drained() override {
    later([this] { send_next(); });
  }

  void on_end(const rpc::Status&) override {
    service_.leave(call_);
    if (seated_) service_.leave_seat();
  }

 private:
  // On a thread that may wait for the database.
  template <class Step>
  void later(Step step) {
    const auto job = [self = shared_from_this(), step] {
      try {
        step();
      } catch (const Error& error) {
        self->end(status_of(error));
      } catch (const std::exception& fault) {
        log::error("a status call failed", {{"fault", fault.what()}});
        self->end({rpc::code::internal, "internal error"});
      }
    };
    if (!board_.post(job)) end({rpc::code::unavailable, "the server is busy or stops"});
  }

  void end(rpc::Status status) { call_->finish(std::move(status)); }

  void answer() {
    board_.gate().admit_reader(token_.reveal(), peer_);
    query_.emplace(incoming_);
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
      if (manner_ == Manner::Fetch) return end({});
      return call_->read();
    }
    write(std::move(part));
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
    write(std::move(all));
  }

  void write(std::string bytes) {
    answered_ = true;
    std::vector<rpc::Message> messages(1);
    messages.front().push_back({.own = std::move(bytes), .shared = nullptr});
    call_->write(std::move(messages));
  }

  StatusService& service_;
  Switchboard& board_;
  const std::shared_ptr<rpc::Call> call_;
  const Manner manner_;
  const Secret token_;
  const std::string peer_;
  bool seated_ = false;
  std::string incoming_;
  std::optional<StatusQuery> query_;
  std::vector<std::shared_ptr<Session>> sessions_;
  std::size_t next_ = 0;
  std::deque<std::string> parts_;
  bool answered_ = false;
};

}  // namespace

std::shared_ptr<rpc::Receiver> StatusService::accept(const std::shared_ptr<rpc::Call>& call) {
  if (call->method() == stream_method)
    return std::make_shared<StatusCall>(*this, Manner::Stream, call);
  if (call->method() == fetch_method)
    return std::make_shared<StatusCall>(*this, Manner::Fetch, call);
  return nullptr;
}

bool StatusService::enter(const std::shared_ptr<rpc::Call>& call) {
  const std::lock_guard lock{mutex_};
  if (stopped_) return false;
  calls_.insert(call);
  return true;
}

bool StatusService::take_seat() {
  const std::lock_guard lock{mutex_};
  if (seats_taken_ >= most_seats) return false;
  ++seats_taken_;
  return true;
}

void StatusService::leave_seat() {
  const std::lock_guard lock{mutex_};
  --seats_taken_;
}

void StatusService::leave(const std::shared_ptr<rpc::Call>& call) {
  const std::lock_guard lock{mutex_};
  calls_.erase(call);
}

void StatusService::stop() {
  const std::lock_guard lock{mutex_};
  stopped_ = true;
  for (const auto& call : calls_) call->abort();
}

}  // namespace mp::xds
