// Plain HTTP messages, free of any server library: what http/server hands to a Handler and gets
// back. The api layer and its tests see only this header of the http layer.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mp::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

// First value of a header, compared without case; empty when there is none.
inline std::string_view find_header(std::span<const Headers::value_type> headers,
                                    std::string_view name) {
  const auto lower = [](char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  };
  for (const auto& [key, value] : headers) {
    if (key.size() != name.size()) continue;
    bool same = true;
    for (std::size_t at = 0; at < key.size() && same; ++at)
      same = lower(key[at]) == lower(name[at]);
    if (same) return value;
  }
  return {};
}

// One request, complete: the server has read the body or has noted that it is over the limit.
struct Request {
  std::string method;  // "GET"
  std::string target;  // as sent: "/api/v1/services?page=2"
  Headers headers;
  std::string body;
  std::string peer;     // address of the connection's other end, no port
  bool secure = false;  // came over TLS
  // The body was larger than any endpoint reads; it was not kept, and the connection ends after the
  // answer.
  bool body_too_large = false;

  std::string_view header(std::string_view name) const { return find_header(headers, name); }
};

struct Response {
  int status = 200;
  Headers headers;
  std::string body;
};

// Called exactly once for each request, from any thread.
using Answer = std::function<void(Response)>;

class Handler {
 public:
  virtual ~Handler() = default;
  // Must not block: it runs on an I/O thread. Work that may block goes to a worker pool.
  virtual void handle(Request request, Answer answer) = 0;
};

}  // namespace mp::http
