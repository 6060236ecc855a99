#include "rpc/session.hpp"

#include "base/log.hpp"
#include "rpc/callbacks.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <utility>

namespace mp::rpc {
namespace {

constexpr std::size_t most_at_once = 64u << 10;  // bytes of one turn of writing

struct Free {
  void operator()(nghttp2_option* option) const { nghttp2_option_del(option); }
};

// Windows are given back by us, when what came was used.
std::unique_ptr<nghttp2_option, Free> make_options() {
  nghttp2_option* option = nullptr;
  if (nghttp2_option_new(&option) != 0) throw std::bad_alloc();
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_max_deflate_dynamic_table_size(option, 0);  // our fields are few and short
  return std::unique_ptr<nghttp2_option, Free>(option);
}

}  // namespace

Session::Session(Side side, const Limits& limits, Host& host)
    : side_(side), limits_(limits), host_(host), idle_frames_(limits.idle_frames) {
  const auto options = make_options();
  const auto make =
      side == Side::Server ? nghttp2_session_server_new2 : nghttp2_session_client_new2;
  if (make(&session_, SessionCallbacks::all(), this, options.get()) != 0) throw std::bad_alloc();
  start();
}

Session::Session(const Limits& limits, Host& host, std::string peer, const Accept& accept)
    : Session(Side::Server, limits, host) {
  peer_ = std::move(peer);
  accept_ = &accept;
}

Session::Session(const Limits& limits, Host& host, Head head)
    : Session(Side::Client, limits, host) {
  head_ = std::move(head);
}

Session::~Session() { nghttp2_session_del(session_); }

void Session::start() {
  const std::array settings{
      nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits_.calls},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits_.call_window},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
                             static_cast<std::uint32_t>(limits_.largest_head)},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}};
  const std::size_t count = settings.size() - (side_ == Side::Server ? 1 : 0);
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), count);
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0,
                                        static_cast<std::int32_t>(limits_.connection_window));
}

bool Session::take(std::string_view bytes) {
  if (deaf_) return false;
  const auto* begin = reinterpret_cast<const std::uint8_t*>(bytes.data());
  const ssize_t taken = nghttp2_session_mem_recv(session_, begin, bytes.size());
  if (taken >= 0) return true;
  deaf_ = true;
  nghttp2_session_terminate_session(session_, NGHTTP2_PROTOCOL_ERROR);
  return false;
}

bool Session::fill(Gather& gather) {
  gather_ = &gather;
  full_ = false;
  const std::uint8_t* bytes = nullptr;
  ssize_t count = 0;
  while (gather.size() < most_at_once && (count = nghttp2_session_mem_send(session_, &bytes)) > 0)
    gather.copy({reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count)});
  gather_ = nullptr;
  if (count < 0) broken_ = true;
  return !broken_ && (full_ || gather.size() >= most_at_once);
}

void Session::sent() {
  for (const auto& call : std::exchange(drained_, {})) {
    if (call->first_ == call->sending_.size() && call->sending_.capacity() > 16)
      call->sending_ = {}, call->first_ = 0;
    call->taken(std::exchange(call->taken_, 0));
  }
}

bool Session::finished() const {
  return broken_ ||
         (nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0);
}

bool Session::listens() const { return nghttp2_session_want_read(session_) != 0; }

// Calls beyond the limit are refused with a frame each, which nghttp2 keeps without a bound while
// none can be sent.
bool Session::overfull() const {
  return side_ == Side::Server &&
         nghttp2_session_get_outbound_queue_size(session_) > 8 * std::size_t{limits_.calls};
}

bool Session::takes_calls() const { return nghttp2_session_check_request_allowed(session_) != 0; }

void Session::ping() {
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
  host_.flush_soon();
}

void Session::go_away() {
  if (side_ == Side::Client)
    nghttp2_session_terminate_session(session_, NGHTTP2_NO_ERROR);
  else
    nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(session_), NGHTTP2_NO_ERROR,
                          nullptr, 0);
  host_.flush_soon();
}

void Session::tick() {
  idle_frames_ = std::min(limits_.idle_frames, idle_frames_ + limits_.idle_frames / 5);
  if (silent_ == 0) return;
  for (const auto& [stream, call] : calls_) {
    if (call->heard_ || (call->waited_ += limits_.tick) <= limits_.opening) continue;
    call->finish({code::deadline_exceeded, "no message came"});
  }
}

void Session::count_idle_frame() {
  if (--idle_frames_ == 0) nghttp2_session_terminate_session(session_, NGHTTP2_ENHANCE_YOUR_CALM);
}

std::shared_ptr<Call> Session::make_call(const Limits& limits, std::string method, Fields fields,
                                         std::shared_ptr<Receiver> receiver) {
  auto call = std::make_shared<Call>(limits);
  call->heard_ = true;
  call->method_ = std::move(method);
  call->fields_ = std::move(fields);
  call->receiver_ = std::move(receiver);
  return call;
}

void Session::add(std::shared_ptr<Call> call) {
  const std::string& path = call->method_;
  std::vector<nghttp2_nv> head{field(":method", "POST"), field(":scheme", head_.scheme),
                               field(":path", path),     field(":authority", head_.authority),
                               field("te", "trailers"),  field("content-type", "application/grpc")};
  // Keys among them: no table of a proxy in between keeps them.
  for (const auto& [name, value] : call->fields_)
    head.push_back(field(name, value, NGHTTP2_NV_FLAG_NO_INDEX));
  nghttp2_data_provider provider{{.ptr = nullptr}, SessionCallbacks::data_ready};
  const std::int32_t stream =
      nghttp2_submit_request(session_, nullptr, head.data(), head.size(), &provider, nullptr);
  if (stream < 0) {
    return end(*call, {code::unavailable, nghttp2_strerror(stream)});
  }
  call->session_ = this;
  call->stream_ = stream;
  call->begun_ = true;
  calls_.emplace(stream, call);
  {
    const std::lock_guard lock{call->mutex_};
    call->host_ = &host_;
  }
  update(*call);
}

void Session::update_owned(Call& call) {
  if (call.session_) call.session_->update(call);
}

void Session::update(Call& call) {
  const auto kept = call.shared_from_this();
  const auto wishes = call.take_wishes();
  if (wishes.aborted) return cut(call, NGHTTP2_CANCEL);
  if (wishes.ending) call.ending_now_ = wishes.ending;
  if (!call.begun_) {
    submit(call);
  } else if (call.deferred_ && (call.unsent() > 0 || call.ending_now_)) {
    call.deferred_ = false;
    nghttp2_session_resume_data(session_, call.stream_);
  }
  if (!call.unread_.empty() || call.remote_ended_) receive(call, {});
  host_.flush_soon();
}

// The server's head goes with the first message, or with the end.
void Session::submit(Call& call) {
  if (call.unsent() == 0 && !call.ending_now_) return;
  call.begun_ = true;
  constexpr std::uint8_t kept = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE;
  const std::array head{field(":status", "200", kept),
                        field("content-type", "application/grpc", kept)};
  if (call.unsent() > 0) {
    nghttp2_data_provider provider{{.ptr = nullptr}, SessionCallbacks::data_ready};
    nghttp2_submit_response(session_, call.stream_, head.data(), head.size(), &provider);
    return;
  }
  const std::string number = std::to_string(call.ending_now_->code);
  const std::string words = percent_encode(call.ending_now_->message);
  const std::array whole{head[0], head[1], field("grpc-status", number),
                         field("grpc-message", words)};
  nghttp2_submit_response(session_, call.stream_, whole.data(), words.empty() ? 3 : 4, nullptr);
}

void Session::trailers(Call& call) {
  const std::string number = std::to_string(call.ending_now_->code);
  const std::string words = percent_encode(call.ending_now_->message);
  const std::array fields{field("grpc-status", number), field("grpc-message", words)};
  nghttp2_submit_trailer(session_, call.stream_, fields.data(), words.empty() ? 1 : 2);
}

std::int64_t Session::data_ready(Call& call, std::size_t most, std::uint32_t& flags) {
  const std::size_t count = std::min(most, call.unsent());
  if (count == 0 && !call.ending_now_) {
    call.deferred_ = true;
    return NGHTTP2_ERR_DEFERRED;
  }
  flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (count == call.unsent() && call.ending_now_) {
    flags |= NGHTTP2_DATA_FLAG_EOF;
    if (side_ == Side::Server) {
      flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      trailers(call);
    }
  }
  return static_cast<std::int64_t>(count);
}

bool Session::add_data(Call& call, std::string_view frame_head, std::size_t size) {
  full_ = gather_->size() >= most_at_once;
  if (full_) return false;
  gather_->copy(frame_head);
  call.unsent_ -= size;
  while (size > 0) {
    auto& [piece, ends_message] = call.sending_[call.first_];
    const std::size_t own = piece.own.size(), whole = piece.size();
    const std::size_t begin = call.offset_, count = std::min(size, whole - begin);
    if (begin < own) {
      const std::size_t part = std::min(count, own - begin);
      gather_->copy(std::string_view(piece.own).substr(begin, part));
      if (count > part) gather_->refer(piece.shared, {piece.shared->data(), count - part});
    } else {
      gather_->refer(piece.shared, {piece.shared->data() + (begin - own), count});
    }
    size -= count;
    call.offset_ += count;
    // Empty ones behind it, too: the end of a message may be one.
    while (call.first_ < call.sending_.size() &&
           call.offset_ == call.sending_[call.first_].piece.size()) {
      if (call.sending_[call.first_].ends_message && ++call.taken_ == 1)
        drained_.push_back(call.shared_from_this());
      call.sending_[call.first_++].piece = {};
      call.offset_ = 0;
    }
  }
  return true;
}

}  // namespace mp::rpc
