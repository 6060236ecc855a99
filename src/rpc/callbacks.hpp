// The functions that nghttp2 calls for a session, and fields as it takes them. Included by the .cpp
// files of the session only.
#pragma once

#include "rpc/session.hpp"

#include <nghttp2/nghttp2.h>

namespace mp::rpc {

// Of texts that outlive it. nghttp2's interface takes mutable pointers and does not write to them.
inline nghttp2_nv field(std::string_view name, std::string_view value,
                        std::uint8_t flags = NGHTTP2_NV_FLAG_NONE) {
  const auto bytes = [](std::string_view text) {
    return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), flags};
}

struct SessionCallbacks {
  static const nghttp2_session_callbacks* all();

  static int begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* self);
  static int header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                    std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                    std::uint8_t flags, void* self);
  static int frame_received(nghttp2_session*, const nghttp2_frame* frame, void* self);
  static int data_received(nghttp2_session*, std::uint8_t flags, std::int32_t stream,
                           const std::uint8_t* bytes, std::size_t size, void* self);
  static int frame_sent(nghttp2_session*, const nghttp2_frame* frame, void* self);
  static int stream_closed(nghttp2_session*, std::int32_t stream, std::uint32_t error, void* self);
  static ssize_t data_ready(nghttp2_session*, std::int32_t stream, std::uint8_t* into,
                            std::size_t size, std::uint32_t* flags, nghttp2_data_source* source,
                            void* self);
  static int send_data(nghttp2_session*, nghttp2_frame* frame, const std::uint8_t* frame_head,
                       std::size_t size, nghttp2_data_source* source, void* self);

 private:
  static Call* call_of(Session& session, std::int32_t stream);
  static void response_field(Call& call, std::string_view name, std::string_view value);
};

}  // namespace mp::rpc
