// What one connection may take, and how long it may take for it. Given to server and client; tests
// give shorter times.
#pragma once

#include "base/time.hpp"

#include <cstddef>
#include <cstdint>

namespace mp::rpc {

struct Limits {
  std::size_t largest_message = 64u << 20;  // bytes; also of all unfinished ones of a connection
  // The same while no call of a connection has brought a message, and it may be anybody's: enough
  // for who comes back with some 300,000 names and versions.
  std::size_t largest_opening = 16u << 20;
  std::size_t largest_head = 16u << 10;  // bytes of a call's fields, each with 32 more
  std::uint32_t calls = 1'000;           // of one connection at a time
  // Bytes that may be on their way to us of a call that is not read, and of all calls.
  std::uint32_t call_window = 256u << 10;
  std::uint32_t connection_window = 1u << 20;
  // Frames that only cost an answer: so many at once, and a fifth of it a second.
  int idle_frames = 1'000;

  Milliseconds greeting{10'000};  // for TLS and the first settings of the other end
  Milliseconds opening{30'000};   // of a call, until its first message has come whole
  Milliseconds unused{60'000};    // of a connection, without a call
  // After so much silence it is asked whether it is there, and has `answer` to say so: with the
  // tick a dead one is noticed within 40 s.
  Milliseconds silence{29'000};
  Milliseconds answer{10'000};
  Milliseconds stuck{40'000};    // to take at least a byte of what waits for it
  Milliseconds farewell{5'000};  // to take what is left when the connection ends
  Milliseconds tick{1'000};
};

}  // namespace mp::rpc
