// Reads requests (RFC 9112) out of a connection's bytes, one after the other, within limits.
// Used by connection.cpp. It does no I/O.
#pragma once

#include "http/message.hpp"

#include <cstddef>
#include <memory>
#include <string_view>

namespace mp::http {

enum class Progress {
  NeedMore,
  Complete,
  TooLarge,  // the body is over the limit; the rest of the connection's bytes mean nothing
  Refused,   // not acceptable HTTP; likewise
};

// What to answer when the bytes are refused.
struct Refusal {
  int status = 400;
  std::string_view message = "Malformed HTTP request";
};

class Parser {
 public:
  struct Limits {
    std::size_t header;  // bytes of request line and fields, and of one chunk's header
    std::size_t body;    // bytes
  };

  explicit Parser(Limits limits);
  ~Parser();

  // Reads on and returns how many bytes it used: the caller keeps the others and gives them again,
  // with more behind them, or to the next request.
  std::size_t feed(std::string_view bytes);

  Progress progress() const { return progress_; }
  Refusal refusal() const { return refusal_; }  // while Refused

  bool header_complete() const;
  bool keep_alive() const;        // once Complete: the client wants the connection to stay
  bool expects_continue() const;  // RFC 9110 10.1.1: it waits for 100 before it sends the body
  bool old_version() const;       // HTTP/1.0

  // The request when Complete or TooLarge (then without body); the parser begins anew.
  Request take();

 private:
  struct Engine;
  void judge(std::size_t left);

  Limits limits_;
  std::unique_ptr<Engine> engine_;
  Progress progress_ = Progress::NeedMore;
  Refusal refusal_;
};

}  // namespace mp::http
