#include "rpc/callbacks.hpp"

#include "base/log.hpp"

#include <charconv>
#include <exception>
#include <memory>

namespace mp::rpc {
namespace {

constexpr std::size_t frame_head_size = 9;  // RFC 9113, 4.1

std::string_view text(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

Session& session_of(void* self) { return *static_cast<Session*>(self); }

// No exception may pass through nghttp2: the connection ends instead.
template <class Step>
int guarded(Step step) {
  try {
    step();
    return 0;
  } catch (const std::exception& fault) {
    log::error("rpc: a connection failed", {{"fault", fault.what()}});
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }
}

}  // namespace

const nghttp2_session_callbacks* SessionCallbacks::all() {
  using Pointer =
      std::unique_ptr<nghttp2_session_callbacks, decltype(&nghttp2_session_callbacks_del)>;
  static const Pointer made = [] {
    nghttp2_session_callbacks* list = nullptr;
    if (nghttp2_session_callbacks_new(&list) != 0) throw std::bad_alloc();
    nghttp2_session_callbacks_set_on_begin_headers_callback(list, begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(list, header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(list, frame_received);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(list, data_received);
    nghttp2_session_callbacks_set_on_frame_send_callback(list, frame_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(list, stream_closed);
    nghttp2_session_callbacks_set_send_data_callback(list, send_data);
    return Pointer(list, nghttp2_session_callbacks_del);
  }();
  return made.get();
}

Call* SessionCallbacks::call_of(Session& session, std::int32_t stream) {
  if (session.recent_ && session.recent_->stream_ == stream) return session.recent_;
  const auto found = session.calls_.find(stream);
  if (found == session.calls_.end()) return nullptr;
  return session.recent_ = found->second.get();
}

int SessionCallbacks::begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* self) {
  auto& session = session_of(self);
  if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  return guarded([&] {
    auto call = std::make_shared<Call>(session.limits_);
    call->session_ = &session;
    call->host_ = &session.host_;
    call->stream_ = frame->hd.stream_id;
    call->peer_ = session.peer_;
    session.calls_.emplace(frame->hd.stream_id, std::move(call));
    ++session.silent_;
  });
}

int SessionCallbacks::header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                             std::size_t name_size, const std::uint8_t* value,
                             std::size_t value_size, std::uint8_t, void* self) {
  auto& session = session_of(self);
  Call* call = call_of(session, frame->hd.stream_id);
  if (!call || frame->hd.type != NGHTTP2_HEADERS) return 0;
  const auto key = text(name, name_size), content = text(value, value_size);
  return guarded([&] {
    call->head_size_ += key.size() + content.size() + 32;
    if (call->head_size_ > session.limits_.largest_head) return;
    if (session.side_ == Session::Side::Client) return response_field(*call, key, content);
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return;
    if (key == ":path")
      call->method_ = content;
    else
      call->fields_.emplace_back(key, content);
  });
}

void SessionCallbacks::response_field(Call& call, std::string_view name, std::string_view value) {
  const auto status = [&]() -> Status& {
    if (!call.outcome_) call.outcome_.emplace(Status{code::unknown, {}});
    return *call.outcome_;
  };
  if (name == "grpc-status") {
    if (std::from_chars(value.data(), value.data() + value.size(), status().code).ec != std::errc{})
      status().code = code::unknown;
  } else if (name == "grpc-message") {
    status().message = percent_decode(value);
  } else if (name == ":status" && value != "200") {
    status().message = "HTTP status " + std::string(value);
  }
}

int SessionCallbacks::frame_received(nghttp2_session*, const nghttp2_frame* frame, void* self) {
  auto& session = session_of(self);
  return guarded([&] {
    Call* call = call_of(session, frame->hd.stream_id);
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
        if (call && frame->headers.cat == NGHTTP2_HCAT_REQUEST) session.head_ended(*call);
        break;
      case NGHTTP2_SETTINGS:
        session.greeted_ = true;
        session.count_idle_frame();
        break;
      case NGHTTP2_DATA:
        if (frame->hd.length == 0) session.count_idle_frame();
        break;
      case NGHTTP2_PING:
      case NGHTTP2_PRIORITY: session.count_idle_frame(); break;
      default: break;
    }
    const bool last = (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
                      (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (!last) return;
    call = call_of(session, frame->hd.stream_id);
    if (call) session.remote_ended(*call);
  });
}

int SessionCallbacks::data_received(nghttp2_session* nghttp2, std::uint8_t, std::int32_t stream,
                                    const std::uint8_t* bytes, std::size_t size, void* self) {
  auto& session = session_of(self);
  nghttp2_session_consume_connection(nghttp2, size);
  Call* call = call_of(session, stream);
  if (!call) return nghttp2_session_consume_stream(nghttp2, stream, size);
  return guarded([&] { session.receive(*call, text(bytes, size)); });
}

// A call that we ended and the other end did not: it need not say more.
int SessionCallbacks::frame_sent(nghttp2_session* nghttp2, const nghttp2_frame* frame, void* self) {
  auto& session = session_of(self);
  if (session.side_ != Session::Side::Server || frame->hd.type != NGHTTP2_HEADERS) return 0;
  if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
  const Call* call = call_of(session, frame->hd.stream_id);
  if (call && !call->remote_ended_)
    nghttp2_submit_rst_stream(nghttp2, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
  return 0;
}

int SessionCallbacks::stream_closed(nghttp2_session*, std::int32_t stream, std::uint32_t error,
                                    void* self) {
  return guarded([&] { session_of(self).end(stream, error); });
}

ssize_t SessionCallbacks::data_ready(nghttp2_session*, std::int32_t stream, std::uint8_t*,
                                     std::size_t size, std::uint32_t* flags, nghttp2_data_source*,
                                     void* self) {
  auto& session = session_of(self);
  Call* call = call_of(session, stream);
  if (!call) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  ssize_t count = 0;
  const int fault =
      guarded([&] { count = static_cast<ssize_t>(session.data_ready(*call, size, *flags)); });
  return fault != 0 ? fault : count;
}

int SessionCallbacks::send_data(nghttp2_session*, nghttp2_frame* frame,
                                const std::uint8_t* frame_head, std::size_t size,
                                nghttp2_data_source*, void* self) {
  auto& session = session_of(self);
  Call* call = call_of(session, frame->hd.stream_id);
  if (!call) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  bool room = true;
  const int fault =
      guarded([&] { room = session.add_data(*call, text(frame_head, frame_head_size), size); });
  if (fault != 0) return fault;
  return room ? 0 : NGHTTP2_ERR_WOULDBLOCK;
}

}  // namespace mp::rpc
