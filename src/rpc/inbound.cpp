// What comes on a session: heads, messages, ends.
#include "base/log.hpp"
#include "rpc/callbacks.hpp"
#include "rpc/session.hpp"

#include <array>
#include <utility>

namespace mp::rpc {
namespace {

bool is_grpc(std::string_view content_type) {
  constexpr std::string_view ours = "application/grpc";
  if (!content_type.starts_with(ours)) return false;
  content_type.remove_prefix(ours.size());
  return content_type.empty() || content_type.front() == '+' || content_type.front() == ';';
}

}  // namespace

void Session::answer_at_once(Call& call, const char* http_status) {
  call.begun_ = true;
  const std::array head{field(":status", http_status)};
  nghttp2_submit_response(session_, call.stream_, head.data(), head.size(), nullptr);
}

void Session::head_ended(Call& call) {
  const auto kept = call.shared_from_this();
  if (call.head_size_ > limits_.largest_head)
    return call.finish({code::resource_exhausted, "the call's metadata is too large"});
  if (call.field(":method") != "POST") return answer_at_once(call, "405");
  if (!is_grpc(call.field("content-type"))) return answer_at_once(call, "415");
  open(kept);
  call.fields_ = {};
}

void Session::open(const std::shared_ptr<Call>& call) {
  auto receiver = (*accept_)(call);
  call->receiver_ = std::move(receiver);
  if (!call->receiver_) call->finish({code::unimplemented, "there is no such method"});
}

void Session::receive(Call& call, std::string_view bytes) {
  const std::size_t before = call.unread_.size() + call.assembly_.size();
  call.unconsumed_ += bytes.size();
  // Where nobody reads, small pieces are put behind each other and not looked at again.
  if (call.receiver_ && !call.unread_.empty() && call.hoards()) {
    call.unread_.append(bytes);
    return hold(call, bytes.size());
  }
  std::string held;
  std::string_view input = bytes;
  if (!call.unread_.empty()) {
    held = std::move(call.unread_);
    call.unread_ = {};
    held.append(bytes);
    input = held;
  }
  if (call.receiver_) deliver(call, input);
  if (call.session_ != this) return;
  // What nobody will read is thrown away.
  if (call.receiver_ && !call.ending()) call.unread_.assign(input);
  if (call.unconsumed_ > call.unread_.size()) {
    nghttp2_session_consume_stream(session_, call.stream_, call.unconsumed_ - call.unread_.size());
    call.unconsumed_ = call.unread_.size();
  }
  hold(call, call.unread_.size() + call.assembly_.size() - before);
}

// `more` wraps around when it is less.
void Session::hold(Call& call, std::size_t more) {
  held_ += more;
  const bool unknown = silent_ == calls_.size();
  const std::size_t most = unknown ? limits_.largest_opening : limits_.largest_message;
  if (held_ > most + limits_.connection_window)
    call.finish({code::resource_exhausted, "too many long messages at once on this connection"});
}

void Session::deliver(Call& call, std::string_view& input) {
  while (call.begin_delivery()) {
    const auto taken = call.assembly_.take(input);
    if (taken.outcome == Assembly::Outcome::Message) {
      heard(call);
      call.receiver_->on_message(taken.message);
      call.assembly_.drop();
      if (input.empty() && !call.remote_ended_) return call.end_delivery();
    } else if (taken.outcome != Assembly::Outcome::Incomplete) {
      refuse(call, taken.outcome);
    } else {
      call.want_again();
      if (!call.remote_ended_ || side_ == Side::Client) return;
      // It was asked for a message and says that there is none.
      const bool cut_off = call.assembly_.size() > 0;
      call.finish(cut_off ? Status{code::internal, "the call ends in a message"} : Status{});
    }
  }
}

void Session::heard(Call& call) {
  if (!std::exchange(call.heard_, true)) --silent_;
}

void Session::refuse(Call& call, Assembly::Outcome outcome) {
  if (outcome == Assembly::Outcome::Compressed)
    call.finish({code::unimplemented, "compressed messages are not taken"});
  else
    call.finish({code::resource_exhausted, "the message is too long"});
  if (side_ == Side::Client) call.abort();
}

void Session::remote_ended(Call& call) {
  call.remote_ended_ = true;
  receive(call, {});
}

// The server's receiver hears of it now: a client that reads nothing takes no frame any more.
void Session::cut(Call& call, std::uint32_t error) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, call.stream_, error);
  host_.flush_soon();
  if (side_ == Side::Server) end(call.stream_, error);
}

void Session::end(std::int32_t stream, std::uint32_t error) {
  const auto found = calls_.find(stream);
  if (found == calls_.end()) return;
  const auto call = std::move(found->second);
  calls_.erase(found);
  recent_ = nullptr;
  end(*call, outcome_of(*call, error));
  if (side_ == Side::Client && calls_.empty()) go_away();
}

Status Session::outcome_of(const Call& call, std::uint32_t error) const {
  if (side_ == Side::Server) return {code::cancelled, {}};
  if (call.outcome_) return *call.outcome_;
  if (error == NGHTTP2_CANCEL) return {code::cancelled, "cancelled"};
  return {code::unavailable, std::string("the call was cut: ") + nghttp2_http2_strerror(error)};
}

void Session::end(Call& call, const Status& status) {
  held_ -= call.unread_.size() + call.assembly_.size();
  heard(call);
  call.unread_.clear();
  call.assembly_.drop();
  call.detach();
  if (const auto receiver = std::exchange(call.receiver_, nullptr)) receiver->on_end(status);
}

void Session::end_all(const Status& status) {
  recent_ = nullptr;
  for (const auto& [stream, call] : std::exchange(calls_, {})) end(*call, status);
}

}  // namespace mp::rpc
